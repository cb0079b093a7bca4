/** A box by hand: dragged with a mouse, a pen or a finger, or written into four number fields, which a keyboard reaches. */
import { byId } from '../dom.js'

/** @typedef {import('../../contract/box.js').Box} Box */

const EDGES = /** @type {const} */ (['x1', 'y1', 'x2', 'y2'])
/** Where a box begins that nobody has drawn yet. @type {Box} */
const MIDDLE = [30, 30, 70, 70]

/** The box that is being drawn; null while none is. @type {Box | null} */
let draft = null

export function draftBox() {
  return draft
}

/**
 * @param {{ startFrom: () => Box | null, onChange: () => void, onAsk: (box: Box) => void }} callbacks `startFrom` gives the
 *   box to begin with, null for none
 */
export function listenForDrawing({ startFrom, onChange, onAsk }) {
  const toggle = byId('draw', HTMLButtonElement)
  const form = byId('drawing', HTMLFormElement)
  const set = (/** @type {Box | null} */ box) => {
    draft = box
    toggle.setAttribute('aria-pressed', String(box !== null))
    // what has the focus is about to be hidden
    if (box === null && form.contains(document.activeElement)) toggle.focus()
    form.hidden = box === null
    byId('frame', HTMLDivElement).classList.toggle('drawing', box !== null)
    if (box) writeFields(box)
    onChange()
  }
  toggle.onclick = () => set(draft ? null : (startFrom() ?? MIDDLE))
  byId('discard', HTMLButtonElement).onclick = () => set(null)
  form.oninput = () => {
    const box = readFields()
    if (!box) return
    draft = box
    onChange()
  }
  form.onsubmit = event => {
    event.preventDefault()
    const box = readFields()
    if (box) onAsk(box)
  }
  listenToPointer(() => draft !== null, set)
  return { stop: () => set(null) }
}

/**
 * @param {() => boolean} isDrawing
 * @param {(box: Box) => void} set
 */
function listenToPointer(isDrawing, set) {
  const frame = byId('frame', HTMLDivElement)
  /** @type {[x: number, y: number] | null} */
  let start = null
  /** Where on the picture, in per cent. @returns {[number, number]} */
  const at = (/** @type {PointerEvent} */ { clientX, clientY }) => {
    const { left, top, width, height } = frame.getBoundingClientRect()
    return [within((100 * (clientX - left)) / width), within((100 * (clientY - top)) / height)]
  }
  frame.addEventListener('pointerdown', event => {
    if (!isDrawing() || event.button !== 0) return
    event.preventDefault()
    frame.setPointerCapture(event.pointerId)
    start = at(event)
  })
  frame.addEventListener('pointermove', event => {
    if (start && isDrawing()) set(between(start, at(event)))
  })
  for (const end of /** @type {const} */ (['pointerup', 'pointercancel']))
    frame.addEventListener(end, () => {
      start = null
    })
}

/** The smallest box of whole per cents between two corners. @param {[number, number]} one @param {[number, number]} other @returns {Box} */
export function between([ax, ay], [bx, by]) {
  const [left, top] = [Math.min(Math.floor(Math.min(ax, bx)), 99), Math.min(Math.floor(Math.min(ay, by)), 99)]
  return [left, top, Math.max(Math.ceil(Math.max(ax, bx)), left + 1), Math.max(Math.ceil(Math.max(ay, by)), top + 1)]
}

const within = (/** @type {number} */ value) => Math.min(100, Math.max(0, value))

/** The box in the fields; null, and the browser tells, while it is none. @returns {Box | null} */
function readFields() {
  const fields = EDGES.map(id => byId(id, HTMLInputElement))
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = fields.map(field => field.valueAsNumber)
  byId('x2', HTMLInputElement).setCustomValidity(x2 > x1 ? '' : 'The right edge has to be over the left one.')
  byId('y2', HTMLInputElement).setCustomValidity(y2 > y1 ? '' : 'The bottom edge has to be over the top one.')
  return fields.every(field => field.validity.valid) ? [x1, y1, x2, y2] : null
}

/** @param {Box} box */
function writeFields(box) {
  for (const [i, id] of EDGES.entries()) {
    const field = byId(id, HTMLInputElement)
    field.value = String(box[i])
    field.setCustomValidity('')
  }
}
