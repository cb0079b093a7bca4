import sharp from 'sharp'
import t from 'tap'
import type { RawImage } from '../../src/image/decode.js'
import type { Picture, PictureOptions } from '../../src/image/picture.js'
import { overlayPicture, regionPicture, wholePicture } from '../../src/image/pictures.js'
import { resample } from '../../src/image/pillow.js'

const PNG: PictureOptions = { format: 'png', quality: 90, longestEdge: null }

/** Pixel (x, y) is [x, y, 7], so that every pixel tells where it comes from. */
function gradient(width: number, height: number): RawImage {
  const data = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([x & 255, y & 255, 7], (y * width + x) * 3)
  return { width, height, data }
}

function plain(width: number, height: number, colour: [number, number, number]): RawImage {
  const data = new Uint8Array(width * height * 3).map((_, i) => colour[i % 3] ?? 0)
  return { width, height, data }
}

async function decode(picture: Picture): Promise<(x: number, y: number) => number[]> {
  const { data, info } = await sharp(picture.bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  t.same([info.width, info.height, info.channels], [picture.width, picture.height, 3])
  return (x, y) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)]
}

t.test('cuts from the original pixels', async t => {
  const picture = await regionPicture(gradient(200, 100), [30, 20, 40, 26], PNG)
  t.match(picture, { mediaType: 'image/png', width: 10, height: 6 })
  const at = await decode(picture)
  t.same(
    [at(0, 0), at(9, 5)],
    [
      [30, 20, 7],
      [39, 25, 7],
    ],
  )
})

t.test('one pixel, and the whole', async t => {
  t.match(await regionPicture(gradient(200, 100), [199, 99, 200, 100], PNG), { width: 1, height: 1 })
  t.match(await regionPicture(gradient(200, 100), [0, 0, 200, 100], PNG), { width: 200, height: 100 })
})

t.test('shrinks to the longest edge, and by itself never enlarges', async t => {
  const image = gradient(200, 100)
  t.match(await wholePicture(image, { ...PNG, longestEdge: 50 }), { width: 50, height: 25 })
  t.match(await wholePicture(image, { ...PNG, longestEdge: 200 }), { width: 200, height: 100 })
  t.match(await wholePicture(image, { ...PNG, longestEdge: 5000 }), { width: 200, height: 100 })
  t.match(await regionPicture(image, [0, 0, 20, 100], { ...PNG, longestEdge: 50 }), { width: 10, height: 50 })
  t.match(await wholePicture(gradient(400, 1), { ...PNG, longestEdge: 50 }), { width: 50, height: 1 })
})

t.test('enlarges where that is wanted, with Lanczos as Pillow has it', async t => {
  const image = gradient(200, 100)
  const region = gradient(20, 10)
  const picture = await regionPicture(image, [0, 0, 20, 10], { ...PNG, longestEdge: 50, enlarge: 8 })
  t.match(picture, { width: 50, height: 25 })
  const at = await decode(picture)
  const expected = resample(region, { width: 50, height: 25 })
  for (let y = 0; y < 25; y++)
    for (let x = 0; x < 50; x++) {
      const from = (y * 50 + x) * 3
      if (`${at(x, y)}` !== `${expected.data.subarray(from, from + 3)}`) t.fail(`${x}, ${y}`)
    }
  t.match(await regionPicture(image, [0, 0, 20, 10], { ...PNG, longestEdge: 50, enlarge: 2 }), {
    width: 40,
    height: 20,
  })
})

t.test('within the limits of a VLM: a narrow strip keeps its shape, and its edge is repeated', async t => {
  const limits = { minSide: 28, maxAspect: 200 }
  t.match(await wholePicture(gradient(2000, 100), { ...PNG, longestEdge: 512, limits }), { width: 560, height: 28 })
  t.match(await regionPicture(gradient(60, 60), [0, 0, 10, 9], { ...PNG, longestEdge: null, limits }), {
    width: 31,
    height: 28,
  })
  const image = plain(300, 3, [0, 0, 0])
  image.data.fill(200, 0, 300 * 3)
  image.data.fill(90, 2 * 300 * 3)
  const strip = await regionPicture(image, [0, 0, 300, 3], {
    ...PNG,
    longestEdge: null,
    limits: { minSide: 3, maxAspect: 20 },
  })
  t.match(strip, { width: 300, height: 15 })
  const at = await decode(strip)
  t.same(
    [0, 6, 7, 8, 14].map(y => at(150, y)[0]),
    [200, 200, 0, 90, 90],
  )
})

t.test('formats and quality', async t => {
  const image = gradient(200, 100)
  const make = (format: PictureOptions['format'], quality: number) =>
    wholePicture(image, { format, quality, longestEdge: null })
  for (const format of ['jpeg', 'webp'] as const) {
    const [low, high] = [await make(format, 10), await make(format, 95)]
    t.equal(low.mediaType, `image/${format}`)
    t.equal((await sharp(low.bytes).metadata()).format, format)
    t.ok(low.bytes.length < high.bytes.length)
  }
  t.equal((await sharp((await make('png', 1)).bytes).metadata()).format, 'png')
})

t.test('packing changes the bytes of a PNG, not its pixels', async t => {
  const image = plain(200, 100, [1, 2, 3])
  const [small, fast] = [await wholePicture(image, PNG), await wholePicture(image, PNG, false)]
  t.ok(fast.bytes.length > 60_000 && small.bytes.length < 5000)
  const pixels = ({ bytes }: Picture) => sharp(bytes).raw().toBuffer()
  t.same(await pixels(fast), await pixels(small))
  t.match(await regionPicture(image, [0, 0, 9, 9], PNG, false), { width: 9, height: 9 })
})

t.test('a picture too long for its format is shrunk to what it can hold', async t => {
  const image = plain(70_000, 2, [1, 2, 3])
  t.match(await wholePicture(image, { ...PNG, format: 'jpeg' }), { width: 65_500, height: 2 })
  t.match(await wholePicture(image, { ...PNG, format: 'webp' }), { width: 16_383, height: 1 })
  t.match(await wholePicture(image, PNG), { width: 70_000, height: 2 })
})

t.test('the drawn box stands out from any background, around the region', async t => {
  for (const colour of [
    [255, 255, 255],
    [0, 0, 0],
    [230, 0, 40],
    [128, 128, 128],
  ] as [number, number, number][]) {
    const at = await decode(await overlayPicture(plain(200, 100, colour), [50, 30, 90, 60], PNG))
    const line = [46, 47, 48, 49].map(x => at(x, 45))
    const contrast = line.map(pixel => Math.max(...pixel.map((value, i) => Math.abs(value - (colour[i] ?? 0)))))
    t.ok(Math.max(...contrast) > 100, `on ${colour}`)
    t.same([at(50, 30), at(89, 59), at(70, 45)], [colour, colour, colour], 'the region itself is untouched')
    t.same([at(40, 45), at(70, 20), at(100, 45), at(70, 70)], [colour, colour, colour, colour])
  }
})

t.test('the drawn box of the whole image is inside it, and the image is not changed', async t => {
  const image = plain(100, 100, [0, 0, 0])
  const at = await decode(await overlayPicture(image, [0, 0, 100, 100], PNG))
  t.same(
    [at(0, 50), at(1, 50), at(99, 50), at(50, 99)],
    [
      [255, 255, 255],
      [230, 0, 40],
      [255, 255, 255],
      [255, 255, 255],
    ],
  )
  t.same(at(50, 50), [0, 0, 0])
  t.ok(image.data.every(value => value === 0))
})

t.test('the line is as wide for a shrunk picture as for a small one', async t => {
  const at = await decode(
    await overlayPicture(plain(2000, 1000, [0, 0, 0]), [500, 300, 900, 600], { ...PNG, longestEdge: 200 }),
  )
  t.same(
    [at(46, 45), at(48, 45), at(51, 45), at(70, 45)],
    [
      [255, 255, 255],
      [230, 0, 40],
      [0, 0, 0],
      [0, 0, 0],
    ],
  )
  t.match(await overlayPicture(plain(1, 1, [0, 0, 0]), [0, 0, 1, 1], PNG), { width: 1, height: 1 })
})

t.test('a size on a grid, for which the shape changes a little', async t => {
  const grid = { multipleOf: 28, minPixels: 3136, maxPixels: 1e6 }
  t.match(await wholePicture(gradient(640, 480), { ...PNG, grid }), { width: 644, height: 476 })
  t.match(await wholePicture(gradient(640, 480), { ...PNG, grid, longestEdge: 300 }), { width: 280, height: 224 })
  t.match(await wholePicture(gradient(37, 111), { ...PNG, grid }), { width: 28, height: 112 })
  t.match(await regionPicture(gradient(200, 100), [0, 0, 56, 56], { ...PNG, grid }), { width: 56, height: 56 })
})

t.test('padded to a square, itself in the middle', async t => {
  const at = await decode(await wholePicture(plain(100, 51, [9, 8, 7]), { ...PNG, square: true }))
  const padding = [122, 116, 104]
  t.same(
    [at(50, 23), at(50, 24), at(50, 74), at(50, 75), at(99, 99)],
    [padding, [9, 8, 7], [9, 8, 7], padding, padding],
  )
  t.match(await wholePicture(gradient(30, 90), { ...PNG, square: true, longestEdge: 45 }), { width: 45, height: 45 })
  t.match(await wholePicture(gradient(30, 30), { ...PNG, square: true }), { width: 30, height: 30 })
})
