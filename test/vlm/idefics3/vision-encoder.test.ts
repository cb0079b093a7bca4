import t from 'tap'
import { type RawImage, rawSource } from '../../../src/image/decode.js'
import { gridOf } from '../../../src/vlm/idefics3/grid.js'
import { processImage } from '../../../src/vlm/idefics3/image-processor.js'
import type { ProcessorConfig } from '../../../src/vlm/idefics3/processor-config.js'
import { encodeTiles } from '../../../src/vlm/idefics3/vision-encoder.js'
import { PROVIDERS } from '../../../src/vlm/onnx/providers.js'
import { openSessions, type Session, type TensorValue } from '../../../src/vlm/onnx/session.js'
import { MODELS } from '../../support/goldens.js'
import { pattern } from '../../support/images/patterns.js'

const config: ProcessorConfig = { tile: 64, split: true, rescale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
const { signal } = new AbortController()
const { cpu, cuda } = PROVIDERS
const process = (image: RawImage, longestEdge: number) =>
  processImage(rawSource(image), gridOf(image, longestEdge, config), config)
const open = async (folder: string) => {
  const { sessions } = await openSessions([`${MODELS}${folder}/onnx/vision_encoder.onnx`], 'cpu', 1)
  t.teardown(() => sessions[0]?.close())
  return sessions[0] as Session
}
const pages = () => Promise.all([pattern('hash', 200, 150), pattern('edges', 30, 40)].map(image => process(image, 128)))
/** A vision graph that tells what it was fed and gives a feature of one value a tile. */
function scripted(type: string, shape: (number | string)[]): Session & { fed: Record<string, TensorValue>[] } {
  const fed: Record<string, TensorValue>[] = []
  return {
    fed,
    inputs: new Map([['pixel_values', { type, shape }]]),
    async run(feeds) {
      fed.push(feeds)
      const dims = feeds.pixel_values?.dims ?? []
      const tiles = dims[dims.length - 4] ?? 0
      return { image_features: { data: new Float32Array(tiles).fill(fed.length), dims: [tiles, 1, 1] } }
    },
    async close() {},
  }
}
const furthest = (a: Float32Array, b: Float32Array) =>
  a.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))),
    a.length === b.length ? 0 : Number.NaN,
  )

t.test('both layouts give the same features, tile after tile and image after image', async t => {
  const images = await pages()
  const [ours, hub] = await Promise.all(['tiny', 'tiny-hub'].map(open))
  const all = await encodeTiles(ours as Session, images, config, signal, cpu.pixelsPerRun)
  t.equal(all.dim, 64)
  t.equal(all.data.length, (5 + 5) * 16 * 64)
  t.ok(furthest(all.data, (await encodeTiles(hub as Session, images, config, signal, cpu.pixelsPerRun)).data) < 1e-4)
  const apart = await Promise.all(
    images.map(image => encodeTiles(ours as Session, [image], config, signal, cpu.pixelsPerRun)),
  )
  const together = Float32Array.from(apart.flatMap(({ data }) => [...data]))
  t.ok(furthest(all.data, together) < 1e-4)
})

t.test('however the tiles are spread over runs, the features are the same', async t => {
  const [ours, images] = [await open('tiny'), await pages()]
  const together = await encodeTiles(ours, images, config, signal, cpu.pixelsPerRun)
  const apart = await encodeTiles(ours, images, config, signal, 1)
  const some = await encodeTiles(ours, images, config, signal, 3 * 64 * 64)
  t.equal(together.data.length, (5 + 5) * 16 * 64)
  for (const other of [apart, some]) t.ok(furthest(together.data, other.data) < 1e-5)
})

t.test('a graph is fed what it declares', async t => {
  const images = await pages()
  const value = (session: ReturnType<typeof scripted>) => session.fed[0]?.pixel_values
  const bytes = scripted('uint8', ['tiles', 64, 64, 3])
  await encodeTiles(bytes, images, config, signal, cpu.pixelsPerRun)
  t.same([value(bytes)?.dims, value(bytes)?.data.constructor], [[10, 64, 64, 3], Uint8Array])
  const planes = scripted('float32', ['batch', 'tiles', 3, 64, 64])
  await encodeTiles(planes, images, config, signal, cpu.pixelsPerRun)
  t.same([value(planes)?.dims, value(planes)?.data.constructor], [[1, 10, 3, 64, 64], Float32Array])
  // tile 4 is the first image's global view
  for (const [x, y, c] of [
    [0, 0, 0],
    [63, 10, 1],
    [17, 63, 2],
  ] as const) {
    const byte = images[0]?.global?.data[(y * 64 + x) * 3 + c] ?? Number.NaN
    t.equal(value(bytes)?.data[((4 * 64 + y) * 64 + x) * 3 + c], byte)
    const normalised = Math.fround((Math.fround(byte / 255) - 0.5) / 0.5)
    t.equal(value(planes)?.data[((4 * 3 + c) * 64 + y) * 64 + x], normalised)
  }
  const hub = scripted('float16', ['batch', 'tiles', 3, 64, 64])
  await encodeTiles(hub, images, config, signal, cpu.pixelsPerRun)
  t.same(value(hub)?.dims, [1, 10, 3, 64, 64])
  t.same(value(hub)?.data, value(planes)?.data, 'halves are made where the tensor is')
  t.same(hub.fed[0]?.pixel_attention_mask?.dims, [1, 10, 64, 64])
  for (const strange of [
    scripted('uint8', ['batch', 'tiles', 64, 64, 3]),
    scripted('int64', ['tiles', 3, 64, 64]),
    scripted('float32', ['tiles', 3, 64, 64]),
  ])
    await t.rejects(encodeTiles(strange, images, config, signal, cpu.pixelsPerRun), {
      code: 'invalid_model',
      message: /`pixel_values`/,
    })
})

t.test('bytes reach a real graph', async t => {
  // `pixel_values` uint8 [tiles, 64, 64, 3] -> Cast -> ReduceMean over rows -> `image_features` [tiles, 64, 3]
  const graph =
    'CAkSADrGAQoiCgxwaXhlbF92YWx1ZXMSAWYiBENhc3QqCQoCdG8YAaABAgo2CgFmCgRheGVzEg5pbWFnZV9mZWF0dXJlcyIKUmVkdWNlTWVhbioPCghr' +
    'ZWVwZGltcxgAoAECEgFnKg0IARAHOgEBQgRheGVzWisKDHBpeGVsX3ZhbHVlcxIbChkIAhIVCgcSBXRpbGVzCgIIQAoCCEAKAggDYikKDmltYWdlX2Zl' +
    'YXR1cmVzEhcKFQgBEhEKBxIFdGlsZXMKAghACgIIA0IECgAQEg=='
  const dir = t.testdir({ 'mean.onnx': Buffer.from(graph, 'base64') })
  const { sessions } = await openSessions([`${dir}/mean.onnx`], 'cpu', 1)
  const session = sessions[0] as Session
  t.teardown(() => session.close())
  const [image] = await pages()
  if (!image?.global) throw new Error('the image is not split')
  const { data, dim } = await encodeTiles(session, [image], config, signal, cpu.pixelsPerRun)
  t.same([data.length, dim], [5 * 64 * 3, 3])
  const { global } = image
  const mean = (x: number, c: number) =>
    Array.from({ length: 64 }, (_, y) => global.data[(y * 64 + x) * 3 + c] ?? Number.NaN).reduce((a, b) => a + b) / 64
  t.ok(Math.abs((data[(4 * 64 + 20) * 3 + 1] ?? 0) - mean(20, 1)) < 1e-3)
})

t.test('no run holds more than is asked for, and an abort is noticed between runs', async t => {
  const tilesOf = (session: ReturnType<typeof scripted>) => session.fed.map(feeds => feeds.pixel_values?.dims[0])
  const big = await process(pattern('hash', 64, 64), 1024)
  t.equal(big.grid.tiles, 257)

  const controller = new AbortController()
  const aborted = scripted('uint8', ['tiles', 64, 64, 3])
  const { run } = aborted
  aborted.run = async feeds => {
    if (aborted.fed.length === 2) controller.abort()
    return run(feeds)
  }
  await t.rejects(encodeTiles(aborted, [big], config, controller.signal, cpu.pixelsPerRun), { code: 'request_aborted' })
  t.same(tilesOf(aborted), [64, 64, 64], 'as many as have the pixels of one 512-pixel tile')

  const onCpu = scripted('uint8', ['tiles', 64, 64, 3])
  const { data } = await encodeTiles(onCpu, [big], config, signal, cpu.pixelsPerRun)
  t.same(tilesOf(onCpu), [64, 64, 64, 64, 1])
  t.same([data[0], data[64], data[256]], [1, 2, 5], 'the parts in their order')

  const onCuda = scripted('uint8', ['tiles', 64, 64, 3])
  await encodeTiles(onCuda, [big, big, big, big, big], config, signal, cuda.pixelsPerRun)
  t.same(tilesOf(onCuda), [1088, 197])
})
