import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { CropVlmClient } from '../../src/client/client.js'
import { ClientError } from '../../src/client/error.js'
import { IMAGE, listen } from '../support/fakes/app.js'

const bbox = [12, 5, 80, 47]
const question = 'What is the total?'

t.test('each form of an image, and each route', async t => {
  const { url } = await listen(t)
  const client = new CropVlmClient({ baseUrl: `${url}/` })
  const bytes = new Uint8Array(IMAGE)
  const texts = [`data:image/png;base64,${IMAGE.toString('base64')}`, IMAGE.toString('base64')]
  for (const image of [bytes, bytes.buffer, new Blob([bytes]), ...texts]) {
    const { object, bbox: found } = await client.crop({ image, question })
    t.same([object, found], ['crop', bbox])
  }
  const listed = await client.crop({ image: bytes, questions: [question, 'When?'], return: 'crop' })
  t.match(listed, { object: 'crop_list', results: [{ bbox }, { bbox, crop: { media_type: 'image/jpeg' } }] })
  const answered = await client.answer({ image: bytes, question, compare: true })
  t.match(answered, { bbox, compare: { agrees: false } })
  t.match(await client.info(), { limits: { pixels: 50_000_000 } })
  t.equal(await client.isReady(), true)
})

t.test('a chat request is zoomed', async t => {
  const { url } = await listen(t)
  const client = new CropVlmClient({ baseUrl: url })
  const image_url = { url: `data:image/png;base64,${IMAGE.toString('base64')}` }
  const content = [
    { type: 'image_url', image_url },
    { type: 'text', text: question },
  ]
  const chat = { model: 'any', messages: [{ role: 'user', content }] }
  const { request, decision, boxes } = await client.zoom(chat, { zoom: 'always' })
  t.equal(decision, 'zoomed')
  t.match(boxes, [{ message: 0, part: 0, turn: 0, bbox, crop: { width: Number } }])
  t.equal(request.model, 'any')
  t.equal(request.messages[0]?.content.length, 4, 'a note and the crop')
  t.same(await client.zoom(chat, { zoom: 'off' }), { request: chat, decision: 'off', reason: null, boxes: [] })
})

t.test('options are typed', async t => {
  const client = new CropVlmClient({ fetch: async (_url, init) => new Response(String(init?.body)) })
  const image = 'QQ=='
  const sent: unknown = await client.answer({ image, question, mode: 'full', full_edge: 448, max_tokens: 9 })
  t.same(sent, { image, question, mode: 'full', full_edge: 448, max_tokens: 9 })
  // @ts-expect-error no such way
  await client.answer({ image, question, mode: 'fully' })
  // @ts-expect-error no such option of /crop
  await client.crop({ image, question, max_tokens: 9 })
  // @ts-expect-error a question is needed
  await client.crop({ image })
})

t.test('a refusal keeps what the service said of it', async t => {
  const { url } = await listen(t, {}, { API_KEY: 'sesame' })
  const refused = (apiKey: string, image: string) =>
    t.rejects(new CropVlmClient({ baseUrl: url, apiKey }).crop({ image, question }), ClientError)
  t.match(await refused('wrong', 'QQ=='), { code: 'invalid_api_key', status: 401, source: 'gateway' })
  t.match(await refused('sesame', 'QQ!'), { code: 'invalid_base64', status: 400, param: 'image', requestId: /-/ })
})

t.test('no reply is told from a refusal', async t => {
  const client = new CropVlmClient({ baseUrl: 'http://127.0.0.1:1' })
  t.match(await t.rejects(client.info()), { code: 'unreachable', status: null, message: /127\.0\.0\.1:1: .+/ })
  t.equal(await client.isReady(), false)
  const aborted = client.info({ signal: AbortSignal.abort() })
  t.match(await t.rejects(aborted), { code: 'aborted' })
  t.match(await t.rejects(client.isReady({ signal: AbortSignal.abort() })), { code: 'aborted' })
  const silent = createServer().listen(0, '127.0.0.1')
  t.teardown(() => silent.close())
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const patient = new CropVlmClient({ baseUrl: `http://127.0.0.1:${port}`, timeoutMs: 50 })
  t.match(await t.rejects(patient.info()), { code: 'timeout' })
  for (const [body, status] of [
    ['<html>', 200],
    ['<html>', 502],
  ] as const) {
    const page: typeof fetch = async () => new Response(body, { status, headers: { 'retry-after': '7' } })
    const error = await t.rejects(new CropVlmClient({ fetch: page }).info())
    t.match(error, { code: 'unreachable', message: /CropVLM service/ })
    if (status === 502) t.match(error, { status, retryAfter: 7 })
  }
})
