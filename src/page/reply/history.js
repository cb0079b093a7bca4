/** The questions that were asked about the picture, newest first. */
import { byId, make } from '../dom.js'
import { isZoomed } from './result.js'

/** @typedef {import('./entry.js').Entry} Entry */

/**
 * @param {Entry[]} entries
 * @param {Entry | null} selected
 * @param {(entry: Entry) => void} onSelect
 */
export function showHistory(entries, selected, onSelect) {
  byId('asked', HTMLElement).hidden = entries.length < 2
  const list = byId('history', HTMLOListElement)
  const focused = [...list.children].findIndex(item => item.contains(document.activeElement))
  list.replaceChildren(...entries.toReversed().map(entry => item(entry, entry === selected, onSelect)))
  // the list was drawn anew under the keyboard
  list.children[focused]?.querySelector('button')?.focus()
}

/** @param {Entry} entry @param {boolean} isSelected @param {(entry: Entry) => void} onSelect */
function item(entry, isSelected, onSelect) {
  const { asked, reply, crop, problem } = entry
  const kind = asked.box ? 'own' : crop && isZoomed(crop) ? 'cropper' : 'none'
  const said = reply ? reply.answer || 'no answer' : (problem?.code ?? '')
  const button = make(
    'button',
    { type: 'button', ...(isSelected ? { 'aria-current': 'true' } : {}) },
    make('span', { class: `dot ${kind}`, 'aria-hidden': 'true' }),
    make(
      'span',
      { class: 'what' },
      asked.question,
      ...(asked.box ? [make('span', { class: 'note' }, 'your box')] : []),
    ),
    make('span', { class: 'said' }, said),
  )
  button.onclick = () => onSelect(entry)
  return make('li', {}, button)
}
