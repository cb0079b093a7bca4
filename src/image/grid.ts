import type { Size } from '../contract/box.js'

/**
 * The sizes that a model's image processor leaves as they are. Of a picture of such a size the model's pixels are the
 * picture's own; any other is resized first (`smart_resize` of qwen-vl-utils).
 */
export interface PixelGrid {
  /** Both sides are multiples of it. */
  multipleOf: number
  /** Least and most pixels, width times height. */
  minPixels: number
  maxPixels: number
}

/**
 * The size on the grid that is nearest to an image's own and to its shape.
 * @param longestEdge Pixels that neither side exceeds, as far as the grid allows; null: no limit of its own.
 */
export function gridSize({ width, height }: Size, grid: PixelGrid, longestEdge: number | null): Size {
  const { multipleOf: step, minPixels, maxPixels } = grid
  const multiple = (pixels: number, round: (steps: number) => number) => Math.max(step, round(pixels / step) * step)
  const edge = longestEdge === null ? Number.POSITIVE_INFINITY : multiple(longestEdge, Math.floor)
  const scale = Math.min(1, edge / Math.max(width, height))
  const sides = (factor: number, round: (steps: number) => number) => ({
    width: multiple(width * factor, round),
    height: multiple(height * factor, round),
  })
  const nearest = sides(scale, Math.round)
  const pixels = nearest.width * nearest.height
  if (pixels > maxPixels) return sides(Math.sqrt(maxPixels / (width * height)), Math.floor)
  if (pixels < minPixels) return sides(Math.sqrt(minPixels / (width * height)), Math.ceil)
  return nearest
}
