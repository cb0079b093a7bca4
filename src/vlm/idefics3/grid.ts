import type { Size } from '../../contract/box.js'
import type { Grid } from '../family.js'
import type { ProcessorConfig } from './processor-config.js'

/** How one image is cut for the vision encoder. */
export interface TileGrid extends Grid {
  /** Rows and columns of tiles; both 0 if the image becomes a single tile. */
  rows: number
  cols: number
  /** Tiles in all. An image that is split has one more than rows x columns: the global view. */
  tiles: number
  /** The image after the first resize (longest edge). */
  scaled: Size
  /** The image after the second resize: a whole number of tiles each way. */
  whole: Size
}

// transformers caps the first resize here, whatever `longest_edge` says.
const MAX_EDGE = 4096

/** The grid of an image under a folder's configuration. A processor that does not split stretches it to one tile. */
export function gridOf(size: Size, longestEdge: number, { tile, split }: ProcessorConfig): TileGrid {
  const grid = tileGrid(size, longestEdge, tile)
  return split ? grid : { ...grid, rows: 0, cols: 0, tiles: 1, whole: { width: tile, height: tile } }
}

/**
 * Idefics3's tile grid (transformers 5.18, image_processing_pil_idefics3.py): the longest edge becomes
 * `longestEdge`, of a smaller image too; then each edge grows to a multiple of `tile`, distorting the aspect a little.
 * Sizes in pixels. The arithmetic follows Python's floats step by step, so that every size comes out equal.
 */
export function tileGrid({ width, height }: Size, longestEdge: number, tile: number): TileGrid {
  const scaled = capEdge(scaleToEdge({ width, height }, longestEdge))
  const whole = growToTiles(scaled, tile)
  if (whole.width <= tile && whole.height <= tile) return { rows: 0, cols: 0, tiles: 1, scaled, whole }
  const rows = whole.height / tile
  const cols = whole.width / tile
  return { rows, cols, tiles: rows * cols + 1, scaled, whole }
}

function scaleToEdge({ width, height }: Size, edge: number): Size {
  const aspect = width / height
  const even = (length: number) => Math.max(length + (length % 2), 1)
  if (width >= height) return { width: edge, height: even(Math.trunc(edge / aspect)) }
  return { width: even(Math.trunc(edge * aspect)), height: edge }
}

function capEdge({ width, height }: Size): Size {
  const aspect = width / height
  if (width >= height && width > MAX_EDGE)
    return { width: MAX_EDGE, height: Math.max(Math.trunc(MAX_EDGE / aspect), 1) }
  if (height > width && height > MAX_EDGE)
    return { width: Math.max(Math.trunc(MAX_EDGE * aspect), 1), height: MAX_EDGE }
  return { width, height }
}

function growToTiles({ width, height }: Size, tile: number): Size {
  const aspect = width / height
  // by its float, 1568 x 1 is as wide as 0.999: one tile, where transformers would have none
  const grow = (length: number) => Math.ceil(Math.max(1, length) / tile) * tile
  if (width >= height) {
    const grown = grow(width)
    return { width: grown, height: grow(Math.trunc(grown / aspect)) }
  }
  const grown = grow(height)
  return { width: grow(Math.trunc(grown * aspect)), height: grown }
}
