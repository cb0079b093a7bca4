import { readFileSync } from 'node:fs'
import sharp from 'sharp'
import t from 'tap'
import type { Size } from '../../../src/contract/box.js'
import { type ImageSource, openImage, type RawImage, rawSource } from '../../../src/image/decode.js'
import { resample } from '../../../src/image/pillow.js'
import { scale } from '../../../src/vlm/resize/resize.js'
import { difference, isSame } from '../../support/images/difference.js'
import { pattern } from '../../support/images/patterns.js'

t.setTimeout(120_000)

const LIMITS = { maxPixels: 50e6, maxAspect: 100 }
const size = (width: number, height: number): Size => ({ width, height })

/** A source that tells what was asked of it. */
function watched(image: RawImage): ImageSource & { asked: string[] } {
  const source = rawSource(image)
  const asked: string[] = []
  return {
    ...source,
    asked,
    pixels() {
      asked.push('pixels')
      return source.pixels()
    },
    shrunk(to) {
      asked.push(`${to.width}x${to.height}`)
      return source.shrunk(to)
    },
  }
}

t.test('enlarging in either direction, and what is cheap, is exact', async t => {
  for (const [image, to] of [
    [pattern('hash', 300, 200), size(96, 64)],
    [pattern('strokes', 500, 300), size(640, 384)],
    [pattern('strokes', 900, 700), size(512, 800)],
    [pattern('strokes', 900, 700), size(1024, 350)],
    [pattern('checker', 2000, 1500), size(2000, 1500)],
  ] as const) {
    const source = watched(image)
    t.ok(isSame(await scale(source, to), resample(image, to)), `to ${to.width}x${to.height}`)
    t.same(source.asked, ['pixels'], 'libvips was not needed')
  }
})

t.test(
  'libvips shrinks to where the rest is cheap, or to twice the size, or all the way; a small page not at all',
  async t => {
    for (const [from, to, asked] of [
      [size(517, 647), size(76, 96), ['pixels']],
      [size(1034, 1294), size(76, 96), ['261x329']],
      [size(1600, 1200), size(512, 384), ['512x384']],
      [size(4000, 3000), size(512, 384), ['1024x768']],
      [size(4000, 3000), size(2048, 1536), ['2048x1536']],
      [size(60, 5000), size(50, 96), ['60x416']],
    ] as const) {
      const source = watched(pattern('edges', from.width, from.height))
      t.match(await scale(source, to), to)
      t.same(source.asked, asked, `${from.width}x${from.height} to ${to.width}x${to.height}`)
    }
  },
)

t.test('a page and a photograph-like picture come out as by Pillow, within a mean of 0.5', async t => {
  const page = readFileSync('docs/example.png')
  const { data, ...grain } = pattern('hash', 3000, 2000)
  const soft = await sharp(data, { raw: { ...grain, channels: 3 } })
    .blur(2)
    .jpeg({ quality: 95 })
    .toBuffer()
  for (const [name, bytes, edges] of [
    ['page', page, [48, 96, 200, 384]],
    ['soft', soft, [96, 300, 512, 1024, 2048]],
  ] as const) {
    const source = await openImage(bytes, LIMITS)
    const image = await (await openImage(bytes, LIMITS)).pixels()
    for (const edge of edges) {
      const factor = edge / Math.max(image.width, image.height)
      const to = size(Math.round(image.width * factor), Math.round(image.height * factor))
      const { mean } = difference(await scale(source, to), resample(image, to))
      t.ok(mean <= 0.5, `${name} at ${edge}: ${mean}`)
    }
  }
})
