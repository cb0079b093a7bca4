/** The whole service, everything real: HTTP on a socket, the engine's process, models (tiny, random weights). */
import OpenAI from 'openai'
import sharp from 'sharp'
import t from 'tap'
import type { Envelope } from '../support/fakes/app.js'
import { png } from '../support/images/pictures.js'
import { startReal, tinyModel } from '../support/real.js'

const { url, engine } = await startReal(t, {
  CROPPER_MODEL: tinyModel('tiny-box'),
  LOCAL_TARGET_MODEL: tinyModel('tiny-hub'),
})

const picture = sharp({ create: { width: 160, height: 120, channels: 3, background: '#fff' } }).composite([
  { input: { create: { width: 40, height: 30, channels: 3, background: '#06c' } }, left: 100, top: 20 },
])
const page = await picture.jpeg().toBuffer()
/** Stored lying on its side, as cameras do. */
const turned = await picture.clone().withMetadata({ orientation: 6 }).jpeg().toBuffer()

interface Reply {
  bbox: [number, number, number, number]
  bbox_pixels: [number, number, number, number]
  image: { width: number; height: number }
  decision: string
  answer?: string
  compare?: { answer: string; agrees: boolean }
  target?: { name: string; model: string; usage: { prompt_tokens: number; completion_tokens: number } }
  crop?: { media_type: string; width: number; height: number; data: string }
  timings_ms: Record<string, number>
}

async function send(path: string, init: RequestInit): Promise<{ status: number; body: Reply & Envelope }> {
  const response = await fetch(`${url}${path}`, { method: 'POST', ...init })
  return { status: response.status, body: (await response.json()) as Reply & Envelope }
}

function sendForm(path: string, image: Uint8Array, fields: Record<string, string>) {
  const body = new FormData()
  body.append('image', new Blob([new Uint8Array(image)]), 'page')
  for (const [name, value] of Object.entries(fields)) body.append(name, value)
  return send(path, { body })
}

const sendJson = (path: string, body: unknown) =>
  send(path, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

t.test('ready once the models have answered', async t => {
  const info = await engine.ready
  t.strictSame(info.models.map(({ role }) => role).sort(), ['cropper', 'target'])
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  const told = (await (await fetch(`${url}/info`)).json()) as { models: { id: string; sha256: object }[] }
  t.equal(told.models[0]?.id, 'tiny-box')
  t.ok(Object.keys(told.models[0]?.sha256 ?? {}).length > 3)
})

t.test('/crop gives the same valid box for a form and for JSON, with a crop of that size', async t => {
  const options = { question: 'What is blue?', resolution: '128', return: 'crop', format: 'png' }
  const form = await sendForm('/crop', page, options)
  const json = await sendJson('/crop', { ...options, resolution: 128, image: page.toString('base64') })
  t.equal(form.status, 200)
  t.equal(json.status, 200)
  t.strictSame(form.body.bbox, json.body.bbox)
  const { bbox_pixels: box, image, decision, crop, timings_ms: timings } = form.body
  t.equal(decision, 'zoomed')
  t.strictSame(image, { width: 160, height: 120 })
  const size = { width: box[2] - box[0], height: box[3] - box[1] }
  t.match(crop, { media_type: 'image/png', ...size })
  const { width, height } = await sharp(Buffer.from(crop?.data ?? '', 'base64')).metadata()
  t.strictSame({ width, height }, size)
  for (const stage of ['queue', 'decode', 'preprocess', 'vision', 'prefill', 'generate', 'crop', 'total'])
    t.ok((timings[stage] ?? -1) >= 0, stage)
})

t.test('the box is of the image as it is looked at', async t => {
  const { body } = await sendForm('/crop', turned, { question: 'What is blue?' })
  t.strictSame(body.image, { width: 120, height: 160 })
})

t.test('/answer asks the local target, with and without the crop', async t => {
  const { status, body } = await sendForm('/answer', page, { question: 'What?', compare: 'true', max_tokens: '4' })
  // random weights may well answer with nothing but space
  t.equal(status, 200)
  t.type(body.answer, 'string')
  t.type(body.compare?.agrees, 'boolean')
  t.match(body.target, { name: 'local', model: 'tiny-hub' })
  t.ok((body.target?.usage.prompt_tokens ?? 0) > 8)
  t.ok((body.target?.usage.completion_tokens ?? 0) <= 4)
  t.ok((body.timings_ms.target ?? -1) >= 0)
  const json = await sendJson('/answer', {
    image: `data:image/jpeg;base64,${page.toString('base64')}`,
    question: 'What?',
    mode: 'full',
    max_tokens: 4,
  })
  t.equal(json.status, 200)
  t.equal(json.body.answer, body.compare?.answer, 'greedy decoding of the same pixels')
})

t.test('bad inputs have the status of the API', async t => {
  const huge = png(20_000, 20_000)
  t.ok(huge.length < 64_000, `${huge.length} bytes`)
  const noise = Buffer.from(Array.from({ length: 300 * 300 * 3 }, (_, i) => (i * 7919) % 251))
  const jpeg = await sharp(noise, { raw: { width: 300, height: 300, channels: 3 } })
    .jpeg()
    .toBuffer()
  const truncated = jpeg.subarray(0, jpeg.length >> 1)
  const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
  const question = 'What?'
  const rows = [
    ['a PNG of 20000x20000', sendForm('/crop', huge, { question }), 413, 'image_too_large'],
    ['a truncated JPEG', sendForm('/crop', truncated, { question }), 422, 'image_undecodable'],
    ['a JPEG cut in its header', sendForm('/crop', jpeg.subarray(0, 60), { question }), 422, 'image_undecodable'],
    ['an SVG', sendForm('/crop', svg, { question }), 415, 'unsupported_image_format'],
    ['an empty file', sendForm('/crop', Buffer.alloc(0), { question }), 400, 'missing_field'],
    ['a 2 MB question', sendForm('/crop', page, { question: 'x'.repeat(2e6) }), 400, 'question_too_long'],
    [
      'a 2 MB question in JSON',
      sendJson('/answer', { image: page.toString('base64'), question: 'x'.repeat(2e6) }),
      400,
      'question_too_long',
    ],
    [
      'broken JSON',
      send('/crop', { body: '{"image": ', headers: { 'content-type': 'application/json' } }),
      400,
      'invalid_body',
    ],
    [
      'a resolution there is not',
      sendForm('/crop', page, { question, resolution: '77' }),
      400,
      'unsupported_resolution',
    ],
  ] as const
  for (const [name, reply, status, code] of rows) {
    const { status: got, body } = await reply
    t.equal(got, status, `${name}: ${body.error?.message}`)
    t.match(body, { error: { code, source: 'gateway' }, request_id: /-/ }, name)
  }
  t.equal(engine.restarts, 0)
})

t.test('/metrics shows the stages', async t => {
  const text = await (await fetch(`${url}/metrics`)).text()
  for (const stage of ['queue', 'decode', 'preprocess', 'vision', 'prefill', 'generate', 'crop', 'target'])
    t.match(text, new RegExp(`^cropvlm_stage_duration_seconds_count\\{stage="${stage}"\\} [1-9]`, 'm'))
  t.match(text, /^cropvlm_model_ready 1$/m)
  t.match(text, /^cropvlm_execution_provider_info\{provider="cpu"\} 1$/m)
  t.match(text, /^cropvlm_requests_total\{route="\/crop",status="200"\} 3$/m)
  t.match(text, /^cropvlm_requests_total\{route="\/crop",status="413"\} 1$/m)
})

t.test("OpenAI's client can ask, and reads our errors as it reads OpenAI's (README)", async t => {
  const client = new OpenAI({ baseURL: url, apiKey: 'none', maxRetries: 0 })
  const image = `data:image/jpeg;base64,${page.toString('base64')}`
  const body = { image, question: 'What number is under the red circle?' }
  const reply = await client.post<Reply>('/answer', { body })
  t.match(reply, { bbox: [Number, Number, Number, Number], answer: String })
  const error = await client.post('/answer', { body: { ...body, question: '' } }).then(
    () => undefined,
    (error: unknown) => error,
  )
  t.ok(error instanceof OpenAI.BadRequestError)
  t.match(error, { status: 400, code: 'missing_field', param: 'question', type: 'invalid_request_error' })
})
