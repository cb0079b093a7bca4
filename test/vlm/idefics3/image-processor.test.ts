import sharp from 'sharp'
import t from 'tap'
import { type ImageSource, openImage, type RawImage, rawSource } from '../../../src/image/decode.js'
import { gridOf } from '../../../src/vlm/idefics3/grid.js'
import { copyTile, processImage, writeTile } from '../../../src/vlm/idefics3/image-processor.js'
import type { ProcessorConfig } from '../../../src/vlm/idefics3/processor-config.js'
import { goldenCases, goldenImage, type PixelsCase } from '../../support/goldens.js'
import { difference, isSame } from '../../support/images/difference.js'
import { pattern } from '../../support/images/patterns.js'

// Pictures of 24 megapixels, on machines that may be busy.
t.setTimeout(300_000)

const config = (tile: number): ProcessorConfig => ({
  tile,
  split: true,
  rescale: 1 / 255,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
})

const process = (image: RawImage | ImageSource, longestEdge: number, config: ProcessorConfig) =>
  processImage('pixels' in image ? image : rawSource(image), gridOf(image, longestEdge, config), config)

// Where libvips shrinks. Its weights have few bits, which shows on fine patterns of full contrast.
const NEARLY: Record<string, number> = {
  'strokes 6000x4000 at 256': 0.7,
  'hash 1023x767 at 64': 0.3,
  'hash 6000x4000 at 64': 0.2,
  'blocks 1920x1080 at 256': 0.1,
  'gradient 6000x4000 at 128': 0.3,
  'gradient 1300x400 at 1024': 0.2,
  'edges 700x500 at 512': 0.1,
}
// Enlarged to four tiles, exactly; the global view alone is shrunk by libvips.
const NEARLY_GLOBAL: Record<string, number> = { ...NEARLY, 'edges 300x200 at 1024': 0.1 }

t.test('pixels are those of transformers, enlarging included', async t => {
  for (const { width, height, longest_edge, tile, ...golds } of goldenCases<PixelsCase>('pixels.json')) {
    const name = `${golds.pattern} ${width}x${height} at ${longest_edge}`
    const { whole, global } = await process(pattern(golds.pattern, width, height), longest_edge, config(tile))
    t.equal(global === null, golds.global === null, `${name}: a global view exactly where the image is split`)
    for (const [actual, file, limits] of [
      [whole, golds.expected, NEARLY],
      [global, golds.global, NEARLY_GLOBAL],
    ] as const) {
      if (!actual || !file) continue
      const expected = await goldenImage(file)
      t.match(actual, { width: expected.width, height: expected.height }, `${name}: size`)
      const { mean } = difference(actual, expected)
      t.ok(mean <= (limits[name] ?? 0), `${name}, tile ${tile}: mean ${mean}`)
    }
  }
})

t.test('a file is shrunk as its pixels are, the global view included', async t => {
  const { data, ...size } = pattern('strokes', 1500, 1100)
  const file = await sharp(data, { raw: { ...size, channels: 3 } })
    .withMetadata({ orientation: 6 })
    .jpeg()
    .toBuffer()
  const limits = { maxPixels: 50e6, maxAspect: 100 }
  for (const edge of [64, 600]) {
    const processed = await process(await openImage(file, limits), edge, config(64))
    t.match(processed.grid.scaled, { height: edge })
    const decoded = await process(await (await openImage(file, limits)).pixels(), edge, config(64))
    t.ok(isSame(processed.whole, decoded.whole))
    if (!processed.global || !decoded.global) t.equal(edge, 64, 'one tile')
    else t.ok(isSame(processed.global, decoded.global))
  }
})

t.test('tiles are cut row by row, the global view last, as bytes or as planes of -1..1', async t => {
  const tile = 64
  const processed = await process(pattern('hash', 200, 100), 128, config(tile))
  t.match(processed.grid, { rows: 1, cols: 2, tiles: 3 })
  const out = new Float32Array(3 * 3 * tile * tile)
  const bytes = new Uint8Array(out.length)
  for (let i = 0; i < 3; i++) {
    writeTile(processed, i, config(tile), out, i * 3 * tile * tile)
    copyTile(processed, i, config(tile), bytes, i * 3 * tile * tile)
  }
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
      t.equal(bytes[((i * tile + y) * tile + x) * 3 + c], byte, `byte of tile ${i} at ${x},${y} channel ${c}`)
      const value = out[((i * 3 + c) * tile + y) * tile + x] ?? Number.NaN
      t.equal(value, Math.fround((Math.fround(byte / 255) - 0.5) / 0.5), `tile ${i} at ${x},${y} channel ${c}`)
    }
  }
})

t.test('a processor that does not split stretches the image to one tile', async t => {
  const { grid, whole, global } = await process(pattern('hash', 200, 100), 128, {
    ...config(64),
    split: false,
  })
  t.match(grid, { rows: 0, cols: 0, tiles: 1 })
  t.match(whole, { width: 64, height: 64 })
  t.equal(global, null)
})
