import t from 'tap'
import { type ProcessorConfig, processImage } from '../../src/vlm/processor.js'
import { openSessions, type Session } from '../../src/vlm/session.js'
import { encodeTiles } from '../../src/vlm/vision.js'
import { pattern } from '../patterns.js'
import { MODELS } from './goldens.js'

const config: ProcessorConfig = { tile: 64, split: true, rescale: 1 / 255, mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] }
const { signal } = new AbortController()
const open = async (folder: string) => {
  const { sessions } = await openSessions([`${MODELS}${folder}/onnx/vision_encoder.onnx`], 'cpu', 1)
  t.teardown(() => sessions[0]?.close())
  return sessions[0] as Session
}
const furthest = (a: Float32Array, b: Float32Array) =>
  a.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (b[i] ?? Number.NaN))),
    a.length === b.length ? 0 : Number.NaN,
  )

t.test('both layouts give the same features, tile after tile and image after image', async t => {
  const images = [pattern('hash', 200, 150), pattern('edges', 30, 40)].map(image => processImage(image, 128, config))
  const [ours, hub] = await Promise.all(['tiny', 'tiny-hub'].map(open))
  const all = await encodeTiles(ours as Session, images, config, signal)
  t.equal(all.dim, 64)
  t.equal(all.data.length, (5 + 5) * 16 * 64)
  t.ok(furthest(all.data, (await encodeTiles(hub as Session, images, config, signal)).data) < 1e-4)
  const apart = await Promise.all(images.map(image => encodeTiles(ours as Session, [image], config, signal)))
  const together = Float32Array.from(apart.flatMap(({ data }) => [...data]))
  t.ok(furthest(all.data, together) < 1e-4)
})

t.test('no run holds more than about one 512-pixel tile, and an abort is noticed between runs', async t => {
  const controller = new AbortController()
  const batches: number[] = []
  const scripted: Session = {
    inputs: new Map([['pixel_values', { type: 'float32', shape: ['tiles', 3, 64, 64] }]]),
    outputs: new Map(),
    async run({ pixel_values }) {
      const [tiles = 0] = pixel_values?.dims ?? []
      batches.push(tiles)
      if (batches.length === 3) controller.abort()
      return { image_features: { data: new Float32Array(tiles), dims: [tiles, 1, 1] } }
    },
    async close() {},
  }
  const big = processImage(pattern('hash', 64, 64), 1024, config)
  t.equal(big.grid.tiles, 257)
  await t.rejects(encodeTiles(scripted, [big], config, controller.signal), { code: 'request_aborted' })
  t.same(batches, [64, 64, 64])
  batches.length = 0
  t.equal((await encodeTiles({ ...scripted }, [big], config, signal)).data.length, 257)
  t.same(batches, [64, 64, 64, 64, 1])
})
