import t from 'tap'
import { Affinity } from '../../../src/engine/parent/image-router.js'
import type { CropJob, GenerateJob } from '../../../src/engine/protocol.js'

const pictures = { crop: null, overlay: null, targetFull: null, targetCrop: null }
const crop = (image: Uint8Array): CropJob => ({
  kind: 'crop',
  image,
  questions: ['What?'],
  resolution: null,
  expand: 1,
  pictures,
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
  const affinity = new Affinity<string>()
  t.equal(affinity.choose(['a', 'b'], crop(file(1))), undefined)
  affinity.remember(crop(file(1)), 'a')
  affinity.remember(crop(file(2)), 'b')
  t.equal(affinity.choose(['b', 'a'], crop(file(1))), 'a')
  t.equal(affinity.choose(['b', 'a'], crop(file(2))), 'b')
  t.equal(affinity.choose(['b'], crop(file(1))), undefined)
  t.equal(affinity.choose(['a', 'b'], crop(file(1, 99_999))), undefined, 'another length, another image')
  affinity.remember(crop(file(1)), 'b')
  t.equal(affinity.choose(['a', 'b'], crop(file(1))), 'b')
})

t.test('answers go by the first picture', async t => {
  const affinity = new Affinity<string>()
  affinity.remember(generate(file(1), file(2)), 'a')
  t.equal(affinity.choose(['a'], generate(file(1), file(3))), 'a')
  t.equal(affinity.choose(['a'], generate(file(2), file(1))), undefined)
  t.equal(affinity.choose(['a'], generate()), undefined)
  affinity.remember(crop(new Uint8Array()), 'a')
  t.equal(affinity.choose(['a'], crop(new Uint8Array())), 'a')
})

t.test('the image not seen for longest is forgotten', async t => {
  const affinity = new Affinity<string>()
  for (let seed = 1; seed <= 250; seed++) affinity.remember(crop(file(seed, 5000)), 'a')
  affinity.remember(crop(file(1, 5000)), 'a')
  for (let seed = 1; seed <= 7; seed++) affinity.remember(crop(file(seed, 6000)), 'a')
  t.equal(affinity.choose(['a'], crop(file(1, 5000))), 'a')
  t.equal(affinity.choose(['a'], crop(file(2, 5000))), undefined)
})
