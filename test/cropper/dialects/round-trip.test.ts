/** A known box, written as each dialect's models write it, comes back to within the dialect's own rounding. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import type { Box, Size } from '../../../src/contract/box.js'
import { DIALECTS } from '../../../src/cropper/dialects/dialects.js'
import { noGrowth } from '../../../src/cropper/dialects/growth.js'
import { placeBox } from '../../../src/cropper/remote/place.js'
import { gridSize } from '../../../src/image/grid.js'
import { type Parts, smartResize, WRITERS } from '../../support/fakes/pointing-server.js'
import { boxes, sizes } from '../../support/properties/boxes.js'
import { holds } from '../../support/properties/runs.js'

const SIZES: readonly Size[] = [
  { width: 640, height: 480 },
  { width: 1000, height: 300 },
  { width: 37, height: 111 },
  { width: 4032, height: 3024 },
  { width: 1, height: 1 },
]
const BOXES: readonly Box[] = [
  [25, 50, 75, 100],
  [0, 0, 100, 100],
  [12, 5, 80, 47],
  [61, 33, 66, 39],
  [0, 97, 4, 100],
]

type Dialect = (typeof DIALECTS)[number]

for (const dialect of DIALECTS) {
  t.test(dialect.name, async t => {
    for (const image of SIZES) for (const box of BOXES) t.doesNotThrow(() => comesBack(dialect, image, box))
  })
  holds(
    `${dialect.name}: any box of any image`,
    fc.property(sizes, boxes, (image, box) => comesBack(dialect, image, box)),
    100,
  )
}

function comesBack(dialect: Dialect, image: Size, box: Box): void {
  const { grid, longestEdge } = dialect.picture
  const shrunk = gridSize(image, grid ?? { multipleOf: 1, minPixels: 1, maxPixels: 1e9 }, longestEdge)
  if (grid?.multipleOf === 28)
    assert.deepEqual(smartResize(shrunk), shrunk, 'the server does not leave the picture as it is')
  const isSquare = dialect.frame === 'square'
  const edge = Math.max(shrunk.width, shrunk.height)
  const picture = isSquare ? { width: edge, height: edge } : shrunk
  const parts = (isSquare ? inSquare(box, image) : box.map(per => per / 100)) as unknown as Parts
  const { content, tool_calls } = WRITERS[dialect.name]?.(parts, picture) ?? { content: null }
  const toolCalls = (tool_calls ?? []).map(call => (call as { function: { arguments: string } }).function.arguments)
  const text = dialect.read({ text: content ?? '', toolCalls })
  const label = `${image.width}x${image.height} ${box}: ${content}`
  assert.ok(text, label)
  const placed = placeBox(text, dialect, noGrowth, { image, picture })
  if (!('box' in placed)) {
    assert.ok(isBelowRounding(dialect, image, picture, box), label)
    return
  }
  for (const [i, end] of placed.box.entries()) {
    const most = 1 + rounding(dialect, image, picture, i % 2 === 0)
    assert.ok(Math.abs(end - (box[i] ?? 0)) <= most, `${label} -> ${placed.box}`)
  }
}

function inSquare(box: Box, { width, height }: Size): number[] {
  const longer = Math.max(width, height)
  return box.map((per, i) => {
    const side = i % 2 === 0 ? width : height
    return ((per / 100) * side + (longer - side) / 2) / longer
  })
}

/** Half of what the last digit of a dialect stands for, in per cent of the image. */
function rounding(dialect: Dialect, image: Size, picture: Size, isX: boolean): number {
  const side = isX ? 'width' : 'height'
  if (dialect.scale === 'pixels') return 50 / picture[side]
  const digits = ['uv-cot', 'mini-o3'].includes(dialect.name)
    ? 100
    : Math.max(100, dialect.scale === 1 ? 1000 : dialect.scale)
  const frame = dialect.frame === 'square' ? Math.max(image.width, image.height) : image[side]
  return ((50 / digits) * frame) / image[side]
}

/** A box that is smaller than what the last digit of a dialect stands for has no size any more. */
function isBelowRounding(dialect: Dialect, image: Size, picture: Size, [x1, y1, x2, y2]: Box): boolean {
  const [x, y] = [true, false].map(isX => 2 * rounding(dialect, image, picture, isX)) as [number, number]
  return x2 - x1 <= x || y2 - y1 <= y
}
