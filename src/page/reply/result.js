/** One entry, shown: the answers side by side, and what is to be known of the box. */
import { make } from '../dom.js'
import { counterpart, labelOf, overlap } from './entry.js'
import { DECISIONS, perCent, verdictOf } from './words.js'

/** @typedef {import('./entry.js').Entry} Entry */
/** @typedef {import('../request/api.js').AnswerReply} AnswerReply */
/** @typedef {import('../request/api.js').CropReply} CropReply */

/**
 * @param {Entry} entry one with a region
 * @param {Entry[]} entries all that were asked about the picture
 */
export function resultOf(entry, entries) {
  const { crop, reply, asked } = entry
  const other = counterpart(entries, entry.asked)
  return [
    make('h2', { class: 'question' }, asked.question),
    ...(reply ? [make('div', { class: 'answers' }, ...cards(entry, reply, other))] : []),
    ...(crop ? [verdict(crop, other)] : []),
    ...(crop?.warnings.map(warning => make('p', { class: 'warning' }, warning)) ?? []),
    ...(crop ? [make('p', { class: 'hint request' }, `Request ${crop.request_id}`)] : []),
  ]
}

/**
 * @param {Entry} entry
 * @param {AnswerReply} reply
 * @param {Entry | undefined} other
 */
function cards(entry, reply, other) {
  const title = isZoomed(reply) ? (other || entry.asked.box ? labelOf(entry) : 'With the crop') : 'Whole picture'
  const { compare } = reply
  return [
    card('with', title, reply),
    ...(other?.reply ? [card('other', labelOf(other), other.reply)] : []),
    ...(compare
      ? [card('without', 'Without the crop', compare, compare.agrees ? 'The same answer' : 'Another answer')]
      : []),
  ]
}

/**
 * @param {string} kind
 * @param {string} title
 * @param {Pick<AnswerReply, 'answer' | 'refusal' | 'finish_reason'>} said
 * @param {string} note
 */
function card(kind, title, { answer, refusal, finish_reason }, note = '') {
  const isCut = finish_reason === 'length'
  const text = refusal ?? (answer === '' ? 'No answer' : answer)
  const notes = [note, refusal === null ? '' : 'Declined', isCut ? 'Cut off' : ''].filter(Boolean).join(', ')
  const isSaid = refusal === null && answer !== ''
  return make(
    'div',
    { class: `card ${kind}` },
    make('h3', {}, title),
    make('p', { class: isSaid ? 'answer' : 'answer none' }, text),
    ...(notes ? [make('p', { class: 'hint' }, notes)] : []),
  )
}

/** @param {Pick<CropReply, 'decision'>} crop */
export function isZoomed({ decision }) {
  return decision === 'zoomed' || decision === 'given'
}

/**
 * @param {CropReply | AnswerReply} crop
 * @param {Entry | undefined} other
 */
function verdict(crop, other) {
  const { decision, confidence, bbox, model } = crop
  const facts = [
    ...(confidence === null || decision === 'fallback'
      ? []
      : [fact('Confidence', meter(confidence), perCent(confidence))]),
    fact('Box', `${bbox.join(', ')} %`),
    ...(other?.crop
      ? [fact(`Overlap with ${other.asked.box ? 'yours' : 'the cropper’s'}`, perCent(overlap(bbox, other.crop.bbox)))]
      : []),
    ...(decision === 'given' ? [] : [fact('Cropper', model.id)]),
    ...('target' in crop ? [fact('Target', crop.target.model)] : []),
  ]
  return make(
    'div',
    { class: 'verdict' },
    make('p', {}, make('span', { class: `decision ${decision}` }, DECISIONS[decision]), ' ', verdictOf(crop)),
    make('dl', {}, ...facts.flat()),
  )
}

/** @param {string} name @param {...(Node | string)} value */
function fact(name, ...value) {
  return [make('dt', {}, name), make('dd', {}, ...value)]
}

/** @param {number} confidence */
function meter(confidence) {
  const attributes = { min: '0', max: '1', value: String(confidence), 'aria-hidden': 'true' }
  return make('meter', attributes)
}
