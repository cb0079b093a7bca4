/** Everything that the page shows of one entry, apart from the boxes on the picture. */
import { byId } from '../dom.js'
import { drawCrop } from '../picture/stage.js'
import { showCode } from './code.js'
import { showProblem } from './problem.js'
import { isZoomed, resultOf } from './result.js'
import { timingsTable } from './timings.js'

/** @typedef {import('./entry.js').Entry} Entry */

/**
 * @param {Entry | null} entry null: nothing has been asked
 * @param {Entry[]} entries all that were asked about the picture
 * @param {string} file the picture's name
 */
export function showEntry(entry, entries, file) {
  const result = byId('result', HTMLDivElement)
  result.hidden = entry === null
  byId('intro', HTMLDivElement).hidden = entry !== null
  result.replaceChildren(...(entry ? resultOf(entry, entries) : []))
  showProblem(entry?.problem ?? null)
  const crop = entry?.crop ?? null
  showCrop(crop)
  byId('time', HTMLElement).hidden = crop === null
  if (crop) byId('bars', HTMLDivElement).replaceChildren(timingsTable({ ...crop.timings_ms }))
  byId('code', HTMLElement).hidden = entry === null
  if (entry) showCode(file, entry.asked)
}

/** The region out of the picture's own pixels, at full size. @param {Entry['crop']} crop */
function showCrop(crop) {
  const canvas = byId('crop-picture', HTMLCanvasElement)
  const isCut = crop !== null && isZoomed(crop) && drawCrop(canvas, crop.bbox_pixels)
  byId('crop', HTMLElement).hidden = !isCut
  if (!crop || !isCut) return
  const { width, height } = crop.image
  byId('crop-caption', HTMLElement).textContent =
    `${canvas.width} × ${canvas.height} of ${width} × ${height} pixels, at full size`
}
