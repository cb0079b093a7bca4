import t from 'tap'
import { ImageRouter } from '../../../src/engine/parent/image-router.js'
import type { GenerateJob, LocateJob } from '../../../src/engine/protocol.js'

/** Two processes. */
const [a, b] = [{ name: 'a' }, { name: 'b' }]
const locate = (image: Uint8Array): LocateJob => ({
  kind: 'locate',
  image,
  questions: ['What?'],
  resolution: null,
  keepPixels: false,
})
const generate = (...images: Uint8Array[]): GenerateJob => ({
  kind: 'generate',
  model: 'local',
  images,
  text: '',
  resolution: null,
  maxTokens: 1,
  temperature: 0,
})
/** Bytes that differ by seed only here and there, as files of one camera do. */
const file = (seed: number, length = 100_000) =>
  Uint8Array.from({ length }, (_, i) => (i < 2000 ? i % 256 : (i * seed) % 251))

t.test('the process that was last given the image, if it is to be had', async t => {
  const router = new ImageRouter<{ name: string }>()
  t.equal(router.choose([a, b], locate(file(1))), undefined)
  router.remember(locate(file(1)), a)
  router.remember(locate(file(2)), b)
  t.equal(router.choose([b, a], locate(file(1))), a)
  t.equal(router.choose([b, a], locate(file(2))), b)
  t.equal(router.choose([b], locate(file(1))), undefined)
  t.equal(router.choose([a, b], locate(file(1, 99_999))), undefined, 'another length, another image')
  router.remember(locate(file(1)), b)
  t.equal(router.choose([a, b], locate(file(1))), b)
})

t.test('answers go by the first picture', async t => {
  const router = new ImageRouter<{ name: string }>()
  router.remember(generate(file(1), file(2)), a)
  t.equal(router.choose([a], generate(file(1), file(3))), a)
  t.equal(router.choose([a], generate(file(2), file(1))), undefined)
  t.equal(router.choose([a], generate()), undefined)
  router.remember(locate(new Uint8Array()), a)
  t.equal(router.choose([a], locate(new Uint8Array())), a)
})

t.test('the image not seen for longest is forgotten', async t => {
  const router = new ImageRouter<{ name: string }>()
  for (let seed = 1; seed <= 250; seed++) router.remember(locate(file(seed, 5000)), a)
  router.remember(locate(file(1, 5000)), a)
  for (let seed = 1; seed <= 7; seed++) router.remember(locate(file(seed, 6000)), a)
  t.equal(router.choose([a], locate(file(1, 5000))), a)
  t.equal(router.choose([a], locate(file(2, 5000))), undefined)
})
