import t from 'tap'
import { readConfig } from '../../../src/config/service.js'
import type { FindRequest, Found } from '../../../src/cropper/cropper.js'
import { configuredCropper } from '../../../src/cropper/croppers.js'
import { qwen3, qwen25 } from '../../../src/cropper/dialects/pointing/qwen.js'
import { visualCot } from '../../../src/cropper/dialects/zooming/visual-cot.js'
import { remoteCropper } from '../../../src/cropper/remote/remote.js'
import { CropVlmError } from '../../../src/errors.js'
import { jobsOf, scriptedEngine } from '../../support/fakes/scripted-engine.js'
import { completion, cropperSettings, json, upstream } from '../../support/fakes/upstream.js'

const [one, other] = [new Uint8Array([1]), new Uint8Array([2])]
const { signal } = new AbortController()
const request = (question: string, changes: Partial<FindRequest> = {}): FindRequest => ({
  image: one,
  question,
  resolution: null,
  keepPixels: false,
  signal,
  deadline: Date.now() + 60_000,
  ...changes,
})
const values = (outcomes: PromiseSettledResult<Found>[]) =>
  outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : null))

t.test('one picture an image, one call a question, in the order of the requests', async t => {
  const engine = scriptedEngine()
  const { baseUrl, received } = await upstream(t, (response, received, socket) => {
    const text = received.body.messages?.[0]?.content[1]?.text ?? ''
    const [, nth] = /question: (\d)/.exec(text) ?? []
    completion(`[${nth}00, 0, 1000, 1000]`)(response, received, socket)
  })
  const cropper = remoteCropper(engine, cropperSettings(baseUrl))
  const found = values(
    await cropper.find([
      request('1'),
      request('2', { image: other, keepPixels: true }),
      request('3'),
      request('4', { resolution: 512 }),
    ]),
  )
  t.same(
    found.map(value => value?.box[0]),
    [10, 20, 30, 40],
  )
  t.match(jobsOf(engine, 'render'), [
    { image: one, keepPixels: false, pictures: [{ show: 'whole', format: 'jpeg', longestEdge: 1024, square: false }] },
    { image: other, keepPixels: true, pictures: [{ longestEdge: 1024 }] },
    { image: one, pictures: [{ longestEdge: 512 }] },
  ])
  t.equal(engine.jobs.length, 3, 'the engine is asked for nothing else')
  t.equal(received.length, 4)
  t.equal(found[0]?.timings, found[2]?.timings, 'the time of one image counts once')
  t.not(found[0]?.timings, found[1]?.timings)
  t.match(found[0], { image: { width: 1600, height: 1200 }, model: { id: 'a-vlm', resolution: 20, tiles: null } })
})

t.test('what the picture of a dialect needs', async t => {
  const engine = scriptedEngine()
  const { baseUrl } = await upstream(t, completion('[]'))
  for (const dialect of [qwen25, visualCot, qwen3])
    await remoteCropper(
      engine,
      cropperSettings(baseUrl, { dialect, longestEdge: dialect === qwen3 ? 640 : null }),
    ).find([request('q')])
  t.match(
    jobsOf(engine, 'render').map(({ pictures }) => pictures[0]),
    [
      { longestEdge: 1024, grid: { multipleOf: 28 }, square: false },
      { longestEdge: 336, square: true },
      { longestEdge: 640, grid: { multipleOf: 32 } },
    ],
  )
  const unknown = { CROPPER_BASE_URL: baseUrl, CROPPER_MODEL: 'a-vlm', CROPPER_BOXES: 'klingon' }
  t.throws(() => configuredCropper(readConfig(unknown)).make(engine), { message: /klingon/ })
})

t.test('confidence from log-probabilities, null for a fallback and where there are none', async t => {
  const text = '{"bbox": [100, 200, 300, 400]}'
  const tokens = text.split(/(\d+)/).map(token => ({ token, logprob: /\d/.test(token) ? -0.25 : -9 }))
  const reply = (content: string, logprobs: unknown) => json(200, { choices: [{ message: { content }, logprobs }] })
  for (const [content, logprobs, wanted] of [
    [text, { content: tokens }, Math.exp(-0.25)],
    [text, null, null],
    ['nothing', { content: [{ token: 'nothing', logprob: 0 }] }, null],
  ] as const) {
    const { baseUrl } = await upstream(t, reply(content, logprobs))
    const [found] = values(await remoteCropper(scriptedEngine(), cropperSettings(baseUrl)).find([request('q')]))
    t.match(found, { confidence: wanted, usage: null })
  }
})

t.test('what fails is an outcome of its own requests, and of no other', async t => {
  const engine = scriptedEngine({
    render(job) {
      if (job.image === other) throw new CropVlmError('image_undecodable', 'It is broken.')
      const picture = { mediaType: 'image/jpeg', width: 20, height: 10, bytes: new Uint8Array([1]) }
      return {
        kind: 'render',
        pictures: [picture],
        image: { width: 40, height: 20 },
        timings: { queue: 0, decode: 0, crop: 0 },
      }
    },
  })
  const { baseUrl, received } = await upstream(t, (response, received, socket) => {
    const isBad = received.body.messages?.[0]?.content[1]?.text?.includes('bad')
    ;(isBad ? json(500, {}) : completion('[1, 2, 300, 400]'))(response, received, socket)
  })
  const outcomes = await remoteCropper(engine, cropperSettings(baseUrl)).find([
    request('good'),
    request('q', { image: other }),
    request('bad'),
  ])
  t.match(outcomes, [
    { status: 'fulfilled', value: { box: [0, 0, 30, 40] } },
    { status: 'rejected', reason: { code: 'image_undecodable' } },
    { status: 'rejected', reason: { code: 'cropper_failed', details: { status: 500 } } },
  ])
  t.equal(received.length, 2)
})

t.test('an abort ends the calls', async t => {
  const client = new AbortController()
  const { baseUrl } = await upstream(t, () => client.abort())
  const outcomes = await remoteCropper(scriptedEngine(), cropperSettings(baseUrl)).find([
    request('a', { signal: client.signal }),
    request('b', { signal: client.signal }),
  ])
  t.match(outcomes, [
    { status: 'rejected', reason: { code: 'request_aborted' } },
    { status: 'rejected', reason: { code: 'request_aborted' } },
  ])
})

t.test("the target's headers, query and further fields go along where the target finds the box", async t => {
  const { baseUrl, received } = await upstream(t, completion('[]'))
  const entry = { headers: { 'api-key': 'k' }, query: { v: '2' }, extra_body: { reasoning_effort: 'low' } }
  const target = { name: 'a', base_url: `${baseUrl}?v=1&w=2`, model: 'Qwen2.5-VL', ...entry }
  const config = readConfig({ TARGETS: JSON.stringify([target]) })
  await configuredCropper(config)
    .make(scriptedEngine())
    .find([request('q')])
  t.match(received, [
    { url: '/v1/chat/completions?v=2&w=2', headers: { 'api-key': 'k' }, body: { reasoning_effort: 'low' } },
  ])
  const own = readConfig({ CROPPER_BASE_URL: `${baseUrl}/?v=3`, CROPPER_MODEL: 'm' })
  await configuredCropper(own)
    .make(scriptedEngine())
    .find([request('q')])
  t.equal(received[1]?.url, '/v1/chat/completions?v=3')
})
