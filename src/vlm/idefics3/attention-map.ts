import type { AttentionMap } from '../attention/box.js'

/**
 * The map of an image from the attention on its tokens. It has a cell for each token of a tile. Each token of the
 * global view lies over rows x columns cells, among which its attention is divided.
 * @param grid Rows and columns of tiles; both 0 if the image is a single tile.
 * @param attention `[tiles * tokens of a tile]`, in the order of the prompt: tile by tile, row by row, and after them
 * the global view. The tokens of a tile are a square.
 */
export function attentionMap(
  grid: { rows: number; cols: number; tiles: number },
  attention: Float32Array | Float64Array,
): AttentionMap {
  const tileRows = Math.max(grid.rows, 1)
  const tileCols = Math.max(grid.cols, 1)
  const tokens = attention.length / grid.tiles
  const edge = Math.round(Math.sqrt(tokens))
  if (edge * edge !== tokens) throw new Error(`${attention.length} values are not the attention on ${grid.tiles} tiles`)
  const rows = tileRows * edge
  const cols = tileCols * edge
  const globalView = grid.tiles > 1 ? attention.subarray(-tokens) : null
  const cells = new Float64Array(rows * cols)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < cols; x++) {
      const tile = Math.floor(y / edge) * tileCols + Math.floor(x / edge)
      const own = attention[tile * tokens + (y % edge) * edge + (x % edge)] as number
      const seen = globalView?.[Math.floor(y / tileRows) * edge + Math.floor(x / tileCols)] ?? 0
      cells[y * cols + x] = own + seen / (tileRows * tileCols)
    }
  return { rows, cols, cells }
}
