/**
 * ViCrop's rule that turns a map of attention into a box (Zhang et al., "MLLMs Know Where to Look", released code). A
 * window of each of six sizes slides over the map. For each size, the window with the largest sum is compared with the
 * windows one cell to its left, right, above and below: the size whose best window stands out most from them, by the
 * difference of the sums over the window's number of cells, is taken. The box has that size in pixels and stands about
 * the window's centre, shifted into the image.
 *
 * The trainer states the same rule in `cropvlm_trainer/attention/box.py`; `golden/attention.json` holds both equal.
 */
import type { Rect, Size } from '../../contract/box.js'

/** Attention over an image, a cell a value, row by row. */
export interface AttentionMap {
  rows: number
  cols: number
  /** `[rows, cols]` */
  cells: Float64Array
}

/** The best window of one size, in cells. */
interface Window {
  left: number
  top: number
  width: number
  height: number
  /** Its sum less the mean of its neighbours' sums, over its number of cells. */
  standsOut: number
}

/** The sides of the windows, in multiples of the base. */
const RATIOS = [1, 1.2, 1.4, 1.6, 1.8, 2]
/** The longest base, as a share of the image's longest edge. */
const SHARE = 0.25

/**
 * The side of the smallest window in pixels of the image. The released code takes the edge of the picture that the
 * model sees, in pixels of the original. In an image that is not much larger than that, such a box leaves nothing out;
 * therefore the base is at most a quarter of the image's longest edge here. It is at least a cell, below which a map
 * says nothing.
 * @param tile Edge of a tile, in pixels.
 */
export function baseSide({ rows, cols }: AttentionMap, { width, height }: Size, tile: number): number {
  return Math.max(Math.min(tile, Math.max(width, height) * SHARE), width / cols, height / rows)
}

/**
 * The box that a map gives. It is the whole image where a window of the smallest size covers the map, and where a value
 * is not finite.
 * @param size Of the image, in pixels.
 * @param base Side of the smallest window, in pixels.
 */
export function attentionBox(map: AttentionMap, { width, height }: Size, base: number): Rect {
  const { rows, cols } = map
  const sums = sumsOf(map)
  let best: { window: Window; side: number } | null = null
  for (const ratio of RATIOS) {
    const across = cellsOf((base * ratio) / (width / cols), cols)
    const down = cellsOf((base * ratio) / (height / rows), rows)
    if (across === cols && down === rows) break
    const window = bestWindow(sums, map, across, down)
    if (!best || window.standsOut > best.window.standsOut) best = { window, side: base * ratio }
  }
  if (!best || !Number.isFinite(sums.at(-1))) return [0, 0, 100, 100]
  const { window, side } = best
  const [x1, x2] = sideAbout((window.left + window.width / 2) * (width / cols), side, width)
  const [y1, y2] = sideAbout((window.top + window.height / 2) * (height / rows), side, height)
  return [x1, y1, x2, y2]
}

function cellsOf(length: number, most: number): number {
  return Math.min(Math.max(Math.trunc(length), 1), most)
}

/** `[rows + 1, cols + 1]`: at (y, x) the sum of the cells above y and left of x. */
function sumsOf({ rows, cols, cells }: AttentionMap): Float64Array {
  const stride = cols + 1
  const sums = new Float64Array((rows + 1) * stride)
  for (let y = 0; y < rows; y++) {
    let row = 0
    for (let x = 0; x < cols; x++) {
      row += cells[y * cols + x] as number
      sums[(y + 1) * stride + x + 1] = (sums[y * stride + x + 1] as number) + row
    }
  }
  return sums
}

/** The window of this size with the largest sum; of equal ones the leftmost, and of those the topmost. */
function bestWindow(sums: Float64Array, { rows, cols }: AttentionMap, width: number, height: number): Window {
  const at = (y: number, x: number) => sums[y * (cols + 1) + x] as number
  const sum = (top: number, left: number) =>
    at(top + height, left + width) - at(top, left + width) - (at(top + height, left) - at(top, left))
  let [left, top] = [0, 0]
  for (let x = 0; x <= cols - width; x++)
    for (let y = 0; y <= rows - height; y++) if (sum(y, x) > sum(top, left)) [left, top] = [x, y]
  const beside: [y: number, x: number][] = [
    [top, left - 1],
    [top, left + 1],
    [top - 1, left],
    [top + 1, left],
  ]
  const around = beside
    .filter(([y, x]) => y >= 0 && x >= 0 && y <= rows - height && x <= cols - width)
    .map(([y, x]) => sum(y, x))
  const mean = around.reduce((total, value) => total + value, 0) / around.length
  return { left, top, width, height, standsOut: (sum(top, left) - mean) / (width * height) }
}

/** Start and end, in per cent of `length`, of a side about `centre`, shifted into the image. All in pixels. */
function sideAbout(centre: number, wanted: number, length: number): [start: number, end: number] {
  const side = Math.min(wanted, length)
  const start = Math.min(Math.max(centre - side / 2, 0), length - side)
  return [(start / length) * 100, Math.min(((start + side) / length) * 100, 100)]
}
