/** The page: a picture, questions about it, and what came of each. */
import { byId } from './dom.js'
import { listenForPictures } from './picture/choose.js'
import { draftBox, listenForDrawing } from './picture/draw.js'
import { showBoxes, showPicture } from './picture/stage.js'
import { listenToCode } from './reply/code.js'
import { counterpart, labelOf } from './reply/entry.js'
import { showHistory } from './reply/history.js'
import { showProblem } from './reply/problem.js'
import { isZoomed } from './reply/result.js'
import { showEntry } from './reply/show.js'
import { answer, Problem } from './request/api.js'
import { chosenTarget, isKnown, loadService, maxPixels, showKeyButton } from './service.js'

/** @typedef {import('./reply/entry.js').Entry} Entry */
/** @typedef {import('./request/api.js').Question} Question */

/** @type {File | null} */
let picture = null
/** About this picture, oldest first. @type {Entry[]} */
let entries = []
/** @type {Entry | null} */
let selected = null
/** Ends the request in flight; null while there is none. @type {AbortController | null} */
let running = null

const field = byId('question', HTMLInputElement)
const send = byId('send', HTMLButtonElement)
const status = byId('status', HTMLParagraphElement)

const drawing = listenForDrawing({
  startFrom: () => (selected?.crop && isZoomed(selected.crop) ? selected.crop.bbox : null),
  onChange: showAllBoxes,
  onAsk: async box => {
    if (!isReady()) return
    drawing.stop()
    const asked = question()
    // the cropper is asked too, so that there is something to compare with
    const isAsked = counterpart(entries, { ...asked, box }) !== undefined
    if (isAsked || (await ask(asked))) await ask({ ...asked, box })
  },
})
listenToCode()
listenForPictures(
  async file => {
    if (await use(file)) field.focus()
  },
  async (file, text) => {
    if (!(await use(file))) return
    field.value = text
    await ask(question())
  },
  () => showProblem(new Problem('The example cannot be fetched.')),
)
byId('ask', HTMLFormElement).onsubmit = event => {
  event.preventDefault()
  if (running) running.abort()
  else if (isReady()) void ask(question())
}
await loadService()

/** What is in the form. @returns {Question} */
function question() {
  return { question: field.value.trim(), box: null, target: chosenTarget() }
}

/**
 * Another picture: what was asked about the last one is gone.
 * @param {File} file
 * @returns {Promise<boolean>} whether it is still the picture once it is shown
 */
async function use(file) {
  running?.abort()
  running = null
  setBusy(false)
  drawing.stop()
  picture = file
  entries = []
  select(null)
  await showPicture(file, maxPixels())
  if (picture !== file) return false
  status.textContent = `The picture is ${file.name}.`
  return true
}

/** Whether there is something to ask about, and no request in flight; tells where not. */
function isReady() {
  if (running) showProblem(new Problem('Wait for the answer, or cancel the question.'))
  else if (!picture) showProblem(new Problem('Choose a picture first, or try an example.'))
  else return field.reportValidity()
  return false
}

/**
 * Asks about the picture, and shows what came of it.
 * @param {Question} asked
 * @returns {Promise<boolean>} whether there is an answer
 */
async function ask(asked) {
  const image = picture
  if (!image) return false
  const controller = new AbortController()
  running = controller
  setBusy(true)
  /** @type {Entry} */
  const entry = { asked, crop: null, reply: null, problem: null }
  try {
    entry.reply = await answer(image, asked, controller.signal)
    entry.crop = entry.reply
  } catch (error) {
    entry.problem = error instanceof Problem ? error : new Problem(String(error))
    entry.crop = entry.problem.crop
  }
  // another picture may have been chosen meanwhile, and asked about
  if (running !== controller) return false
  running = null
  setBusy(false)
  status.textContent = entry.reply ? `The answer is: ${entry.reply.answer || 'none'}` : ''
  if (entry.problem?.code === 'cancelled') return false
  entries.push(entry)
  select(entry)
  // on a phone the answer is below the picture
  byId(entry.reply ? 'result' : 'problem', HTMLDivElement).scrollIntoView({ block: 'nearest' })
  if (entry.reply && !isKnown()) await loadService()
  showKeyButton()
  return entry.reply !== null
}

/** @param {boolean} isBusy */
function setBusy(isBusy) {
  send.textContent = isBusy ? 'Cancel' : 'Ask'
  document.body.classList.toggle('busy', isBusy)
  if (!isBusy) return
  status.textContent = 'Asking…'
  showProblem(null)
}

/** @param {Entry | null} entry */
function select(entry) {
  selected = entry
  showEntry(entry, entries, picture?.name ?? '')
  showHistory(entries, entry, chosen => {
    // a box that is drawn next is about this question
    field.value = chosen.asked.question
    select(chosen)
  })
  showAllBoxes()
}

/** The box of the entry that is shown, the one to compare it with, and the one that is being drawn. */
function showAllBoxes() {
  const draft = draftBox()
  const other = selected && counterpart(entries, selected.asked)
  const marked = [other, selected].flatMap(entry => {
    if (!entry?.crop || !isZoomed(entry.crop)) return []
    const { bbox: box } = entry.crop
    const kind = entry.asked.box ? /** @type {const} */ ('own') : /** @type {const} */ ('cropper')
    return [{ box, kind, label: labelOf(entry), main: entry === selected && draft === null }]
  })
  const drawn = draft ? [{ box: draft, kind: /** @type {const} */ ('draft'), label: 'New box', main: true }] : []
  showBoxes([...marked, ...drawn])
}
