/** Croppers behind an endpoint through the whole service: the real engine, without a model, and a real socket. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { readConfig } from '../../../src/config/service.js'
import type { Cropper } from '../../../src/cropper/cropper.js'
import { configuredCropper } from '../../../src/cropper/croppers.js'
import { DIALECTS } from '../../../src/cropper/dialects/dialects.js'
import { noGrowth } from '../../../src/cropper/dialects/growth.js'
import { gemini } from '../../../src/cropper/dialects/pointing/gemini.js'
import { generic } from '../../../src/cropper/dialects/pointing/generic.js'
import { qwen25 } from '../../../src/cropper/dialects/pointing/qwen.js'
import { remoteCropper } from '../../../src/cropper/remote/remote.js'
import type { RemoteCropperSettings } from '../../../src/cropper/remote/settings.js'
import { engineOptions } from '../../../src/engine/options.js'
import { startEngine } from '../../../src/engine/parent/client.js'
import { buildApp } from '../../../src/http/app.js'
import { makeTargets } from '../../../src/target/targets.js'
import { compiledService } from '../../support/compiled.js'
import { post } from '../../support/fakes/app.js'
import { pointingServer, USAGE } from '../../support/fakes/pointing-server.js'
import { completion, json, type Reply, upstream } from '../../support/fakes/upstream.js'

t.setTimeout(240_000)

/** White, with a blue rectangle; `upright` is in per cent of what a viewer shows. */
async function picture(width: number, height: number, orientation?: number) {
  const side = (part: number, of: number) => Math.round((part / 100) * of)
  const blue = { left: side(20, width), top: side(60, height), width: side(30, width), height: side(15, height) }
  const stored = sharp({ create: { width, height, channels: 3, background: '#ffffff' } }).composite([
    { input: { create: { ...blue, channels: 3, background: '#0000ff' } }, left: blue.left, top: blue.top },
  ])
  const file = stored.jpeg({ quality: 95 })
  return await (orientation ? file.withMetadata({ orientation }) : file).toBuffer()
}

const upright = { box: [20, 60, 50, 75], size: { width: 640, height: 480 } }
const IMAGES = [
  { name: '640x480', bytes: await picture(640, 480), ...upright },
  { name: '1000x300', bytes: await picture(1000, 300), box: upright.box, size: { width: 1000, height: 300 } },
  // turned by 90 degrees clockwise: what was at the left is at the top
  { name: 'EXIF', bytes: await picture(640, 480, 6), box: [25, 20, 40, 50], size: { width: 480, height: 640 } },
  {
    name: '12 megapixels with EXIF',
    bytes: await picture(4000, 3000, 8),
    box: [60, 50, 75, 80],
    size: { width: 3000, height: 4000 },
  },
]

const config = readConfig({ LOG_LEVEL: 'silent' })
const module = pathToFileURL(join(compiledService(), 'engine/child/main.js'))
const log = pino({ level: 'silent' })
const worker = { ...engineOptions(config, { cropper: null, ocr: false }).worker, targets: [], ocr: false }
const engine = startEngine(
  { ...engineOptions(config, { cropper: null, ocr: false }), worker, module, execArgv: [] },
  log,
)
t.teardown(() => engine.close())
await engine.ready

function settings(baseUrl: string, more: Partial<RemoteCropperSettings> = {}): RemoteCropperSettings {
  return {
    name: 'openai',
    baseUrl,
    model: 'a-vlm',
    apiKey: 'sk-secret-key',
    dialect: generic,
    longestEdge: null,
    growth: noGrowth,
    guided: 'off',
    timeoutMs: 30_000,
    concurrency: 8,
    ...more,
  }
}

async function service(t: Test, baseUrl: string, more: Partial<RemoteCropperSettings> = {}) {
  return await serviceWith(t, remoteCropper(engine, settings(baseUrl, more)))
}

async function serviceWith(t: Test, cropper: Cropper) {
  const app = await buildApp({ config, engine, cropper, targets: makeTargets(config, engine), log })
  t.teardown(() => app.close())
  return { app, cropper }
}

t.test('no model is loaded, and the service is ready', async t => {
  t.match(await engine.ready, { models: [], executionProvider: null })
  const { app, cropper } = await service(t, 'http://127.0.0.1:9/v1', { name: 'target', dialect: gemini })
  t.same(cropper.info, { name: 'target', resolutions: null, warnings: [], model: 'a-vlm', dialect: 'gemini' })
  t.equal((await app.inject({ url: '/health/ready' })).statusCode, 200)
})

for (const dialect of DIALECTS)
  t.test(`${dialect.name}: the box that the endpoint named, on every image`, async t => {
    const sizes: { width: number; height: number }[] = []
    const { baseUrl, received } = await pointingServer(t, dialect.name, size => sizes.push(size))
    const { app } = await service(t, baseUrl, { dialect })
    for (const { name, bytes, box, size } of IMAGES) {
      const { status, body } = await post(app, '/crop', {
        image: bytes,
        question: 'What is blue?',
        return: 'crop',
        format: 'png',
      })
      t.equal(status, 200, name)
      t.match(body, { decision: 'zoomed', reason: null, confidence: null, image: size }, name)
      // one per cent for rounding outwards, and a pixel of what the model saw
      const pixel = 100 / Math.min(sizes.at(-1)?.width ?? 0, sizes.at(-1)?.height ?? 0)
      const slack = 1 + (dialect.frame === 'square' ? 4 : 1) * pixel
      for (const [i, end] of (body.bbox as number[]).entries())
        t.ok(Math.abs(end - (box[i] ?? 0)) <= slack, `${name}: ${body.bbox} for ${box}`)
      const { dominant } = await sharp(Buffer.from(body.crop.data, 'base64')).stats()
      t.match(dominant, { r: 8, b: 248 }, 'the crop is blue')
      const edge = Math.max(sizes.at(-1)?.width ?? 0, sizes.at(-1)?.height ?? 0)
      t.match(body.model, { id: 'a-vlm', resolution: edge, tiles: null })
      t.ok(body.timings_ms.decode > 0 && body.timings_ms.generate > 0)
      t.ok(edge <= dialect.picture.longestEdge || edge <= Math.max(size.width, size.height) + 28, 'not enlarged')
      const grid = dialect.picture.grid?.multipleOf ?? 1
      t.ok(
        sizes.at(-1)?.width.toString() &&
          (sizes.at(-1)?.width ?? 0) % grid === 0 &&
          (sizes.at(-1)?.height ?? 0) % grid === 0,
      )
    }
    const { text, system } = dialect.prompt('What is blue?')
    const messages = received[0]?.body.messages ?? []
    t.match(messages.at(-1), { role: 'user', content: [{ type: 'image_url' }, { type: 'text', text }] })
    t.same(messages.slice(0, -1), system === null ? [] : [{ role: 'system', content: system }])
    t.equal(received[0]?.headers.authorization, 'Bearer sk-secret-key')
    t.match(received[0]?.body, { model: 'a-vlm', max_tokens: dialect.maxTokens, temperature: 0, logprobs: true })
    t.notOk('structured_outputs' in (received[0]?.body ?? {}))
  })

t.test('the size of the picture: CROPPER_EDGE, and the resolution of a request', async t => {
  const sizes: { width: number; height: number }[] = []
  const { baseUrl } = await pointingServer(t, 'qwen2.5-vl', size => sizes.push(size))
  const { app } = await service(t, baseUrl, { dialect: qwen25, longestEdge: 448 })
  const image = IMAGES[0]?.bytes ?? new Uint8Array()
  for (const resolution of [null, '224', '1'])
    await post(app, '/crop', { image, question: 'q', ...(resolution ? { resolution } : {}) })
  t.same(sizes, [
    { width: 448, height: 336 },
    { width: 224, height: 168 },
    { width: 84, height: 56 },
  ])
})

t.test('several questions about one image: one picture, a call for each, and time that counts once', async t => {
  const { baseUrl, received } = await pointingServer(t, 'generic')
  const { app } = await service(t, baseUrl)
  const image = (IMAGES[0]?.bytes ?? Buffer.alloc(0)).toString('base64')
  const { status, body } = await post(app, '/crop', { json: { image, questions: ['a', 'b', 'c'] } })
  t.equal(status, 200)
  t.match(
    body.results,
    ['a', 'b', 'c'].map(question => ({ question, decision: 'zoomed', bbox: [20, 60, 50, 75] })),
  )
  t.equal(received.length, 3)
  t.ok(body.timings_ms.generate <= body.timings_ms.total)
  const metrics = (await app.inject({ url: '/metrics' })).body
  t.match(metrics, `cropvlm_cropper_tokens_total{type="prompt"} ${3 * USAGE.prompt_tokens}`)
  t.match(metrics, `cropvlm_cropper_tokens_total{type="completion"} ${3 * USAGE.completion_tokens}`)
})

t.test('growth: that of the dialect, none, a factor, the table of the paper', async t => {
  const { baseUrl } = await upstream(t, completion('{"bbox_2d": [200, 200, 300, 300]}'))
  const image = IMAGES[1]?.bytes ?? new Uint8Array()
  const box = async (dialect: string, expand: string) => {
    const endpoint = { CROPPER_BASE_URL: baseUrl, CROPPER_MODEL: 'a-vlm', CROPPER_BOXES: dialect }
    const cropper = configuredCropper(readConfig({ ...endpoint, CROPPER_EXPAND: expand })).make(engine)
    const { app } = await serviceWith(t, cropper)
    return (await post(app, '/crop', { image, question: 'q' })).body.bbox
  }
  t.same(await box('qwen3-vl', 'dialect'), [20, 20, 30, 30])
  t.same(await box('qwen3-vl', 'none'), [20, 20, 30, 30])
  t.same(await box('qwen3-vl', '4'), [15, 15, 35, 35])
  t.same(await box('qwen3-vl', 'table3'), [17, 17, 33, 33], 'an area of 1 % grows to 2 %')
  t.same(await box('qwen2.5-vl', 'dialect'), await box('qwen2.5-vl', 'table3'))
  t.notSame(await box('qwen2.5-vl', 'dialect'), await box('qwen2.5-vl', 'none'))
})

t.test('an answer without a box is a fallback whose reason names it, never an error', async t => {
  const image = IMAGES[0]?.bytes ?? new Uint8Array()
  const message = (message: unknown, more = {}) => json(200, { choices: [{ index: 0, message, ...more }] })
  const rows: [name: string, reply: Reply, reason: string, raw: string | RegExp][] = [
    ['a refusal', completion("I'm sorry, I can't."), 'no_box', "I'm sorry, I can't."],
    ['a refusal in its own field', message({ content: null, refusal: 'No.' }), 'no_box', 'No.'],
    ['empty', completion(''), 'no_box', ''],
    ['null', completion(null), 'no_box', ''],
    ['no content', message({ role: 'assistant' }), 'no_box', ''],
    ['parts', completion([{ type: 'text', text: '[0, 0, 0, 0]' }, null]), 'empty_box', '[0, 0, 0, 0]'],
    ['no size', completion('[5, 5, 5, 9]'), 'empty_box', '[5, 5, 5, 9]'],
    ['beside the image', completion('[1200, 0, 1300, 9]'), 'out_of_range', '[1200, 0, 1300, 9]'],
    ['rambling', completion('words and words '.repeat(1000)), 'no_box', /^(words and words ){250}$/],
    ['odd tool calls', message({ content: null, tool_calls: [null, {}, { function: {} }] }), 'no_box', ''],
    [
      'cut short',
      message({ content: '{"bbox": [1, 2, 3, 4' }, { finish_reason: 'length' }),
      'no_box',
      '{"bbox": [1, 2, 3, 4',
    ],
  ]
  for (const [name, reply, reason, raw] of rows) {
    const { baseUrl } = await upstream(t, reply)
    const { app } = await service(t, baseUrl)
    const { status, body } = await post(app, '/crop', { image, question: 'q' })
    t.equal(status, 200, name)
    t.match(body, { decision: 'fallback', reason, raw, bbox: [0, 0, 100, 100], confidence: null }, name)
  }
})

t.test('an endpoint that fails is told as the cropper, without its text', async t => {
  const image = IMAGES[0]?.bytes ?? new Uint8Array()
  const secret = { error: { message: 'Incorrect key sk-secret-key', code: 'invalid_api_key' } }
  const rows: [name: string, reply: Reply, status: number | null, message: RegExp][] = [
    ['401', json(401, secret), 401, /cropper's endpoint replied 401.+CROPPER_API_KEY/],
    ['404', json(404, secret), 404, /CROPPER_MODEL.+CROPPER_BASE_URL/],
    ['429', json(429, secret, { 'retry-after': '7' }), 429, /rate limit/],
    ['500', json(500, secret), 500, /replied 500/],
    [
      'a reset',
      (_response, _received, socket) => socket.resetAndDestroy(),
      null,
      /connection to the cropper's endpoint/,
    ],
    ['HTML', response => response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>'), 200, /no choice/],
    ['no choice', json(200, { choices: [] }), 200, /no choice/],
  ]
  for (const [name, reply, status, message] of rows) {
    const { baseUrl } = await upstream(t, reply)
    const { app } = await service(t, baseUrl)
    const { status: own, body } = await post(app, '/crop', { image, question: 'q' })
    t.equal(own, 502, name)
    t.match(
      body.error,
      { code: 'cropper_failed', source: 'cropper', type: 'upstream_error', details: { status }, message },
      name,
    )
    t.notMatch(JSON.stringify(body), /sk-secret/, name)
  }
})

t.test('a broken image is told by the engine, and the endpoint is not asked', async t => {
  const { baseUrl, received } = await upstream(t, completion('x'))
  const { app } = await service(t, baseUrl)
  const image = (IMAGES[0]?.bytes ?? Buffer.alloc(0)).subarray(0, 900)
  const { status, body } = await post(app, '/crop', { image, question: 'q' })
  t.equal(status, 422)
  t.match(body.error, { code: 'image_undecodable', source: 'gateway' })
  t.equal(received.length, 0)
})

t.test('the timeout, and where the target is the cropper its options', async t => {
  const { baseUrl } = await upstream(t, () => {})
  const { app } = await service(t, baseUrl, { timeoutMs: 150 })
  const image = IMAGES[0]?.bytes ?? new Uint8Array()
  const { status, body } = await post(app, '/crop', { image, question: 'q' })
  t.equal(status, 504)
  t.match(body.error, { code: 'cropper_timeout', source: 'cropper', message: /CROPPER_TIMEOUT_MS/ })

  const refusing = await upstream(t, json(401, {}))
  const asTarget = await service(t, refusing.baseUrl, { name: 'target' })
  t.match((await post(asTarget.app, '/crop', { image, question: 'q' })).body.error.message, /TARGET_API_KEY/)
})
