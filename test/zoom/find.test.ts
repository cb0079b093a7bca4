import t from 'tap'
import { expandBox, FULL_BOX } from '../../src/contract/box.js'
import type { PictureOptions } from '../../src/image/picture.js'
import { findRegions } from '../../src/zoom/find.js'
import type { Gate } from '../../src/zoom/gate.js'
import type { FindRegions, FoundRegions, ZoomObserver } from '../../src/zoom/zoom.js'
import { scriptedCropper } from '../support/fakes/cropper.js'
import { jobsOf, scriptedEngine } from '../support/fakes/scripted-engine.js'

const PNG: PictureOptions = { format: 'png', quality: 90, longestEdge: null }
const ALWAYS: Gate = { mode: 'always', minConfidence: 0, maxArea: 0.9 }
const NONE = { crop: null, overlay: null, targetFull: null, targetCrop: null, targetCompare: null }

function ask(changes: Partial<FindRegions> = {}): FindRegions {
  const { signal } = new AbortController()
  const image = new Uint8Array([1])
  const deadline = Date.now() + 60_000
  const asked = { image, questions: ['q'], resolution: null, expand: 1, gate: ALWAYS, view: null, pictures: NONE }
  return { ...asked, signal, deadline, ...changes }
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
        ['targetCompare', ''],
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

t.test("the text reader's own stages are named where it has read", async t => {
  const engine = scriptedEngine()
  const cropper = scriptedCropper(engine, () => ({ timings: { queue: 1, detect: 20, recognize: 11 } }))
  const { timings } = await findRegions({ engine, cropper, observer: observer() }, ask({ questions: ['a', 'b'] }))
  const none = { decode: 0, preprocess: 0, vision: 0, prefill: 0, generate: 0, crop: 0 }
  t.same(timings, { ...none, queue: 2, detect: 40, recognize: 22 })
})

t.test('never: the cropper is not asked, and the whole image is shown', async t => {
  const engine = scriptedEngine()
  const cropper = {
    ...scriptedCropper(engine),
    find() {
      throw new Error('the cropper was asked')
    },
  }
  const pictures = { ...NONE, targetFull: PNG, targetCrop: PNG }
  const gate = { ...ALWAYS, mode: 'never' as const }
  const found = await findRegions({ engine, cropper, observer: observer() }, ask({ gate, pictures }))
  t.match(found.regions, [{ box: FULL_BOX, decision: 'skipped', reason: 'never', confidence: null, raw: '' }])
  t.ok(found.regions[0]?.pictures.targetFull)
  t.equal(found.regions[0]?.pictures.targetCrop, null)
  t.same(found.model, { id: 'none', resolution: null, tiles: null })
})

t.test('a given box: the cropper is not asked, and the crop is of that box, grown as asked', async t => {
  const engine = scriptedEngine()
  const told: FoundRegions[] = []
  const cropper = {
    ...scriptedCropper(engine),
    find() {
      throw new Error('the cropper was asked')
    },
  }
  const zoom = { engine, cropper, observer: observer(told) }
  const box = [10, 20, 30, 40] as const
  const found = await findRegions(zoom, ask({ box, questions: ['a', 'b'], pictures: { ...NONE, targetCrop: PNG } }))
  const region = { box, pixelBox: [160, 240, 480, 480], decision: 'given', reason: null, confidence: null, raw: '' }
  t.match(found, { regions: [region, region], model: { id: 'none' }, warnings: [] })
  t.same(jobsOf(engine, 'render').at(-1)?.pictures, [
    { show: 'region', packing: 'fast', region: box, ...PNG },
    { show: 'region', packing: 'fast', region: box, ...PNG },
  ])
  t.same(told, [found])
  const grown = await findRegions(zoom, ask({ box, expand: 4 }))
  t.same(grown.regions[0]?.box, expandBox(box, 4))
  const auto = { mode: 'auto', minConfidence: 0.6, maxArea: 0.03 } as const
  const large = await findRegions(zoom, ask({ box, gate: auto }))
  t.match(large.regions, [{ box, decision: 'skipped', reason: 'whole_image', wouldSkip: 'whole_image' }])
  const small = await findRegions(zoom, ask({ box, gate: { ...auto, maxArea: 0.9 } }))
  t.match(small.regions, [{ box, decision: 'given', wouldSkip: null }], 'a box without a confidence is believed')
})

t.test('always: every box is used, and told whether auto would have skipped it', async t => {
  const gate = { mode: 'always', minConfidence: 0.6, maxArea: 0.9 } as const
  const engine = scriptedEngine()
  const pictures = { ...NONE, targetCrop: PNG }
  const zoom = { engine, cropper: scriptedCropper(engine), observer: observer() }
  const found = await findRegions(zoom, ask({ gate, pictures }))
  t.match(found.regions, [{ decision: 'zoomed', reason: null, wouldSkip: 'low_confidence' }])
  t.ok(found.regions[0]?.pictures.targetCrop)
  const sees = await findRegions(zoom, ask({ gate, view: { fullEdge: 1600, enlarges: false } }))
  t.match(sees.regions, [{ decision: 'zoomed', wouldSkip: 'sees_all' }])
})

t.test('auto: a box that would not help is told, and its crop is for the caller alone', async t => {
  const gate = { mode: 'auto', minConfidence: 0.6, maxArea: 0.9 } as const
  const pictures = { ...NONE, crop: PNG, targetFull: PNG, targetCrop: PNG }
  const engine = scriptedEngine()
  const found = await findRegions(
    { engine, cropper: scriptedCropper(engine), observer: observer() },
    ask({ gate, pictures }),
  )
  t.match(found.regions, [{ box: [25, 50, 75, 100], decision: 'skipped', reason: 'low_confidence', confidence: 0.5 }])
  t.equal(found.regions[0]?.pictures.targetCrop, null)
  t.ok(found.regions[0]?.pictures.crop)
})

t.test('a resolution that the cropper does not have is refused before it is asked', async t => {
  const engine = scriptedEngine()
  const cropper = { ...scriptedCropper(engine), info: { name: 'scripted', resolutions: [64, 128], warnings: [] } }
  await t.rejects(findRegions({ engine, cropper, observer: observer() }, ask({ resolution: 65 })), {
    code: 'unsupported_resolution',
    message: /64, 128/,
  })
  const reader = { ...cropper, info: { ...cropper.info, resolutions: [] } }
  await t.rejects(findRegions({ engine, cropper: reader, observer: observer() }, ask({ resolution: 64 })), {
    code: 'unsupported_resolution',
    message: 'The cropper has no resolution 64; leave `resolution` out.',
  })
  t.equal(engine.jobs.length, 0)
})
