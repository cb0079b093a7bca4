import t from 'tap'
import { expandBox, FULL_BOX } from '../../src/contract/box.js'
import type { PictureOptions } from '../../src/image/picture.js'
import { findRegions } from '../../src/zoom/find.js'
import type { FindRegions, FoundRegions, ZoomObserver } from '../../src/zoom/zoom.js'
import { jobsOf, scriptedEngine } from '../support/fakes/app.js'
import { scriptedCropper } from '../support/fakes/cropper.js'

const PNG: PictureOptions = { format: 'png', quality: 90, longestEdge: null }
const NONE = { crop: null, overlay: null, targetFull: null, targetCrop: null }

function ask(changes: Partial<FindRegions> = {}): FindRegions {
  const { signal } = new AbortController()
  const image = new Uint8Array([1])
  const deadline = Date.now() + 60_000
  return { image, questions: ['q'], resolution: null, expand: 1, pictures: NONE, signal, deadline, ...changes }
}

function observer(told: FoundRegions[] = []): ZoomObserver {
  return { onFound: found => told.push(found), onTargetCall() {}, onAnswered() {} }
}

t.test('a box in per cent and in pixels, grown as asked; the observer is told', async t => {
  const engine = scriptedEngine()
  const told: FoundRegions[] = []
  const zoom = { engine, cropper: scriptedCropper(engine), observer: observer(told) }
  const plain = await findRegions(zoom, ask())
  t.match(plain, { image: { width: 1600, height: 1200 }, regions: [{ box: [25, 50, 75, 100], decision: 'zoomed' }] })
  t.same(plain.regions[0]?.pixelBox, [400, 600, 1200, 1200])
  t.same(plain.regions[0]?.pictures, NONE)
  t.notOk('cost' in (plain.regions[0] ?? {}), 'a cropper that generates nothing here costs no tokens')
  const grown = await findRegions(zoom, ask({ expand: 4 }))
  t.same(grown.regions[0]?.box, expandBox([25, 50, 75, 100], 4))
  t.same(told, [plain, grown])
})

t.test('what no box was found for is the whole image, whatever the growth', async t => {
  const engine = scriptedEngine()
  const cropper = scriptedCropper(engine, () => ({ box: [1, 1, 2, 2], decision: 'fallback', reason: 'no_box' }))
  const found = await findRegions({ engine, cropper, observer: observer() }, ask({ expand: 2 }))
  t.match(found.regions, [{ box: FULL_BOX, pixelBox: [0, 0, 1600, 1200], decision: 'fallback', reason: 'no_box' }])
})

t.test('one job makes the pictures of all boxes; each is where it was asked for', async t => {
  const engine = scriptedEngine()
  const cropper = scriptedCropper(engine)
  const pictures = { ...NONE, crop: PNG, overlay: PNG, targetFull: { ...PNG, longestEdge: 9 }, targetCrop: PNG }
  const found = await findRegions({ engine, cropper, observer: observer() }, ask({ questions: ['a', 'b'], pictures }))
  const jobs = jobsOf(engine, 'render')
  t.equal(jobs.length, 3, 'one for each question of the cropper, one for all pictures')
  t.match(jobs[2]?.pictures, [
    { show: 'region', packing: 'small' },
    { show: 'overlay', packing: 'small' },
    { show: 'whole', packing: 'fast', longestEdge: 9 },
    { show: 'region', packing: 'fast' },
    {},
    {},
    {},
    {},
  ])
  const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()
  for (const { pictures } of found.regions)
    t.same(
      Object.entries(pictures).map(([name, picture]) => [name, text(picture?.bytes)]),
      [
        ['crop', 'crop'],
        ['overlay', 'overlay'],
        ['targetFull', 'full'],
        ['targetCrop', 'region'],
      ],
    )
})

t.test('times are added up; those of boxes found together count once', async t => {
  const engine = scriptedEngine({
    render: job => ({
      kind: 'render',
      pictures: job.pictures.map(() => ({ mediaType: 'image/png', width: 1, height: 1, bytes: new Uint8Array() })),
      image: { width: 10, height: 10 },
      timings: { queue: 1, decode: 2, crop: 4 },
    }),
  })
  const shared = { queue: 10, vision: 100 }
  const cropper = scriptedCropper(engine, () => ({ timings: shared }))
  const pictures = { ...NONE, crop: PNG }
  const { timings } = await findRegions(
    { engine, cropper, observer: observer() },
    ask({ questions: ['a', 'b'], pictures }),
  )
  t.same(timings, { queue: 11, decode: 2, preprocess: 0, vision: 100, prefill: 0, generate: 0, crop: 4 })
})

t.test('a resolution that the cropper does not have is refused before it is asked', async t => {
  const engine = scriptedEngine()
  const cropper = { ...scriptedCropper(engine), info: { name: 'scripted', resolutions: [64, 128] } }
  await t.rejects(findRegions({ engine, cropper, observer: observer() }, ask({ resolution: 65 })), {
    code: 'unsupported_resolution',
    message: /64, 128/,
  })
  t.equal(engine.jobs.length, 0)
})
