import { readFileSync } from 'node:fs'
import t from 'tap'
import { decodeImage, type RawImage } from '../../src/image.js'
import { type ProcessorConfig, processImage, writeTile } from '../../src/vlm/processor.js'
import { pattern } from '../patterns.js'
import { GOLDEN, goldenCases } from './goldens.js'

// Pictures of 24 megapixels, on machines that may be busy.
t.setTimeout(300_000)

interface Case {
  pattern: string
  width: number
  height: number
  longest_edge: number
  tile: number
  expected: string
  global: string | null
}

const config = (tile: number): ProcessorConfig => ({
  tile,
  split: true,
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
})
const golden = (file: string) => decodeImage(readFileSync(`${GOLDEN}${file}`), { maxPixels: 1e8, maxAspect: 1000 })

/** Mean difference, and the share of values that differ by more than 4, of 255. */
function difference(actual: RawImage, expected: RawImage) {
  let sum = 0
  let far = 0
  expected.data.forEach((value, i) => {
    const gap = Math.abs(value - (actual.data[i] ?? Number.NaN))
    sum += gap
    if (!(gap <= 4)) far++
  })
  return { mean: sum / expected.data.length, far: far / expected.data.length }
}

t.test('pixels are those of transformers, enlarging included', async t => {
  for (const { width, height, longest_edge, tile, ...golds } of goldenCases<Case>('pixels.json')) {
    const name = `${golds.pattern} ${width}x${height} at ${longest_edge}, tile ${tile}`
    const { whole, global } = processImage(pattern(golds.pattern, width, height), longest_edge, config(tile))
    t.equal(global === null, golds.global === null, `${name}: a global view exactly where the image is split`)
    for (const [actual, file] of [
      [whole, golds.expected],
      [global, golds.global],
    ] as const) {
      if (!actual || !file) continue
      const expected = await golden(file)
      t.match(actual, { width: expected.width, height: expected.height }, `${name}: size`)
      // The issue allows a mean of 1 and 0.1 % further than 4; our filter is Pillow's own arithmetic.
      t.same(difference(actual, expected), { mean: 0, far: 0 }, `${name}: every pixel`)
    }
  }
})

t.test('tiles are cut row by row, the global view last, normalised to -1..1 in planes', async t => {
  const tile = 64
  const processed = processImage(pattern('hash', 200, 100), 128, config(tile))
  t.match(processed.grid, { rows: 1, cols: 2, tiles: 3 })
  const out = new Float32Array(3 * 3 * tile * tile)
  for (let i = 0; i < 3; i++) writeTile(processed, i, config(tile), out, i * 3 * tile * tile)
  const { whole, global } = processed
  for (const [i, source, left] of [
    [0, whole, 0],
    [1, whole, tile],
    [2, global, 0],
  ] as const) {
    for (const [x, y, c] of [
      [0, 0, 0],
      [63, 0, 1],
      [5, 41, 2],
      [63, 63, 2],
    ] as const) {
      const byte = source?.data[(y * source.width + left + x) * 3 + c] ?? Number.NaN
      const value = out[((i * 3 + c) * tile + y) * tile + x] ?? Number.NaN
      t.equal(value, Math.fround((Math.fround(byte / 255) - 0.5) / 0.5), `tile ${i} at ${x},${y} channel ${c}`)
    }
  }
})

t.test('a processor that does not split stretches the image to one tile', async t => {
  const { grid, whole, global } = processImage(pattern('hash', 200, 100), 128, { ...config(64), split: false })
  t.match(grid, { rows: 0, cols: 0, tiles: 1 })
  t.match(whole, { width: 64, height: 64 })
  t.equal(global, null)
})
