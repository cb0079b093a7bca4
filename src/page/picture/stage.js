/** The picture, and boxes on it. */
import { byId, make } from '../dom.js'

/** @typedef {import('../../contract/box.js').Box} Box */
/** @typedef {{ box: Box, kind: 'cropper' | 'own' | 'draft', label: string, main: boolean }} Marked */

/** The picture as it is shown; null where the browser cannot, or should not, show it. @type {HTMLImageElement | null} */
let shown = null
/** The file that was chosen last. @type {File | null} */
let wanted = null

/**
 * Shows a picture, without boxes. One that is larger than the service takes is not decoded: it would fill the memory.
 * @param {File} file
 * @param {number} maxPixels
 */
export async function showPicture(file, maxPixels) {
  wanted = file
  const image = await loaded(file)
  // another one may have been chosen while this one loaded
  if (wanted !== file) return
  if (shown) URL.revokeObjectURL(shown.src)
  const tooLarge = image !== null && image.naturalWidth * image.naturalHeight > maxPixels
  shown = tooLarge ? null : image
  const frame = byId('frame', HTMLDivElement)
  frame.replaceChildren(...(shown ? [shown] : []))
  frame.hidden = shown === null
  byId('empty', HTMLDivElement).hidden = true
  byId('tools', HTMLDivElement).hidden = false
  byId('draw', HTMLButtonElement).disabled = shown === null
  const unseen = byId('unseen', HTMLParagraphElement)
  unseen.hidden = shown !== null
  unseen.textContent = tooLarge ? 'This picture is too large to be shown here.' : 'Your browser cannot show this file.'
  const size = image ? `, ${image.naturalWidth} × ${image.naturalHeight}` : ''
  byId('about', HTMLSpanElement).textContent = `${file.name}${size}`
}

/** The picture that is shown; null if none is. */
export function shownPicture() {
  return shown
}

/**
 * The picture with the size of its header known, upright; null where it is none that the browser reads.
 * @param {File} file
 * @returns {Promise<HTMLImageElement | null>}
 */
function loaded(file) {
  const image = make('img', { alt: `The picture ${file.name}`, draggable: 'false' })
  return new Promise(resolve => {
    image.onload = () => resolve(image)
    image.onerror = () => {
      URL.revokeObjectURL(image.src)
      resolve(null)
    }
    image.src = URL.createObjectURL(file)
  })
}

/** Draws these boxes and no others. @param {Marked[]} boxes */
export function showBoxes(boxes) {
  const frame = byId('frame', HTMLDivElement)
  for (const old of frame.querySelectorAll('.box')) old.remove()
  frame.append(...boxes.map(boxElement))
}

/** @param {Marked} marked */
function boxElement({ box: [x1, y1, x2, y2], kind, label, main }) {
  const words = `${label}: from ${x1}, ${y1} to ${x2}, ${y2} per cent`
  const attributes = { class: `box ${kind}${main ? ' main' : ''}`, role: 'img', 'aria-label': words }
  // a box that is compared with has its label below, so that two labels do not cover each other
  const side = main ? (y1 < 8 ? 'inside' : 'above') : y2 > 92 ? 'inside' : 'below'
  const element = make('div', attributes, make('span', { class: `tag ${side}${x1 > 65 ? ' right' : ''}` }, label))
  Object.assign(element.style, { left: `${x1}%`, top: `${y1}%`, width: `${x2 - x1}%`, height: `${y2 - y1}%` })
  return element
}

/**
 * Cuts a region out of the picture that is shown, from its own pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly [number, number, number, number]} pixels `bbox_pixels` of a reply
 * @returns {boolean} whether there was a picture to cut
 */
export function drawCrop(canvas, [x1, y1, x2, y2]) {
  const context = canvas.getContext('2d')
  if (!shown || !context) return false
  const [width, height] = [x2 - x1, y2 - y1]
  Object.assign(canvas, { width, height })
  context.drawImage(shown, x1, y1, width, height, 0, 0, width, height)
  return true
}
