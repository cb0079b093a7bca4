import { once } from 'node:events'
import t from 'tap'
import { generic } from '../../../src/cropper/dialects/pointing/generic.js'
import { qwen3 } from '../../../src/cropper/dialects/pointing/qwen.js'
import { type Ask, asker } from '../../../src/cropper/remote/ask.js'
import type { RemoteCropperSettings } from '../../../src/cropper/remote/settings.js'
import type { CropVlmError } from '../../../src/errors.js'
import { imagePart } from '../../../src/openai/image-part.js'
import {
  completion,
  countingUpstream,
  cropperSettings,
  json,
  type Received,
  type Reply,
  upstream,
} from '../../support/fakes/upstream.js'

const picture = imagePart({
  mediaType: 'image/jpeg',
  width: 2,
  height: 2,
  bytes: new TextEncoder().encode('picture'),
})
const patience = (more = {}) => ({ signal: new AbortController().signal, deadline: Date.now() + 60_000, ...more })

function asking(baseUrl: string, more: Partial<RemoteCropperSettings> = {}): Ask {
  return asker(cropperSettings(baseUrl, { dialect: qwen3, ...more }))
}

const failure = (answer: Promise<unknown>): Promise<CropVlmError> =>
  answer.then(
    () => Promise.reject(new Error('no failure')),
    error => error,
  )

const fields = ({ body }: Received) =>
  Object.keys(body)
    .filter(name => name !== 'messages')
    .sort()

/** A good answer, unless the body holds one of the fields. */
function refusing(...names: string[]): Reply {
  return (response, received, socket) => {
    const refused = names.find(name => name in received.body)
    const reply = refused
      ? json(400, { error: { message: `${refused} is not supported` } })
      : completion('[1, 2, 3, 4]')
    reply(response, received, socket)
  }
}

t.test('what comes back: text, log-probabilities and usage as the endpoint gave them', async t => {
  const logprobs = { content: [{ token: '[1, 2, 3, 4]', logprob: -0.5 }] }
  const message = { content: ' [1, 2, 3, 4]', tool_calls: [{ function: { arguments: { bbox_2d: [5, 6, 7, 8] } } }] }
  const usage = { prompt_tokens: 900, completion_tokens: 12 }
  const { baseUrl, received } = await upstream(t, json(200, { choices: [{ message, logprobs }], usage }))
  t.same(await asking(baseUrl)(picture, 'Who?', patience()), {
    text: ' [1, 2, 3, 4]',
    toolCalls: ['{"bbox_2d":[5,6,7,8]}'],
    logprobs,
    usage: { promptTokens: 900, completionTokens: 12 },
  })
  t.equal(received[0]?.url, '/v1/chat/completions')
  t.equal(received[0]?.headers.authorization, undefined)
  const url = `data:image/jpeg;base64,${Buffer.from('picture').toString('base64')}`
  t.match(received[0]?.body.messages, [
    { role: 'user', content: [{ type: 'image_url', image_url: { url } }, { type: 'text' }] },
  ])
})

t.test('an endpoint that refuses log-probabilities is asked again without, and that is remembered', async t => {
  const { baseUrl, received } = await upstream(t, refusing('logprobs'))
  const ask = asking(baseUrl)
  t.equal((await ask(picture, 'q', patience())).text, '[1, 2, 3, 4]')
  await ask(picture, 'q', patience())
  t.same(received.map(fields), [
    ['logprobs', 'max_tokens', 'model', 'temperature'],
    ['max_tokens', 'model', 'temperature'],
    ['max_tokens', 'model', 'temperature'],
  ])
})

t.test('one that takes no max_tokens and no temperature, as reasoning models of OpenAI', async t => {
  const { baseUrl, received } = await upstream(t, refusing('logprobs', 'max_tokens'))
  const ask = asking(baseUrl, { dialect: generic })
  await ask(picture, 'q', patience())
  await ask(picture, 'q', patience())
  t.same(received.slice(2).map(fields), [
    ['max_completion_tokens', 'model'],
    ['max_completion_tokens', 'model'],
  ])
  t.equal(received[3]?.body.max_completion_tokens, 2048)
})

t.test('a refusal for another reason is told as such; once an endpoint has answered, without more calls', async t => {
  let status = 400
  const { baseUrl, received } = await upstream(t, (response, ...rest) =>
    (status === 200 ? completion('x') : json(status, { error: { code: 'bad_image' } }))(response, ...rest),
  )
  const ask = asking(baseUrl)
  t.match(await failure(ask(picture, 'q', patience())), {
    code: 'cropper_failed',
    details: { status: 400, code: 'bad_image' },
    message: /reads images/,
  })
  t.equal(received.length, 3)
  status = 401
  t.match(await failure(ask(picture, 'q', patience())), { details: { status: 401 } })
  t.equal(received.length, 4, 'a wrong key is no refusal of a field')
  status = 200
  await ask(picture, 'q', patience())
  t.ok(fields(received[4] as Received).includes('logprobs'), 'nothing was learnt from the refusals')
  status = 422
  await failure(ask(picture, 'q', patience()))
  t.equal(received.length, 6)
})

t.test('the grammar goes along in both forms that vLLM has had', async t => {
  const { baseUrl, received } = await upstream(t, refusing('logprobs'))
  await asking(baseUrl, { guided: 'vllm' })(picture, 'q', patience())
  const { grammar } = qwen3
  for (const { body } of received) t.match(body, { structured_outputs: { regex: grammar }, guided_regex: grammar })
  t.equal(received.length, 2)
})

t.test('a connection that breaks is replaced, once', async t => {
  let calls = 0
  const { baseUrl } = await upstream(t, (response, received, socket) => {
    if (++calls === 1) socket.resetAndDestroy()
    else completion('[1, 2, 3, 4]')(response, received, socket)
  })
  t.equal((await asking(baseUrl)(picture, 'q', patience())).text, '[1, 2, 3, 4]')
})

t.test('timeout, deadline and abort end the call', async t => {
  const ended: Promise<unknown>[] = []
  const { baseUrl } = await upstream(t, response => void ended.push(once(response, 'close')))
  const impatient = asking(baseUrl, { timeoutMs: 100 })
  t.match(await failure(impatient(picture, 'q', patience())), {
    code: 'cropper_timeout',
    message: /CROPPER_TIMEOUT_MS/,
  })
  const ask = asking(baseUrl)
  const late = failure(ask(picture, 'q', patience({ deadline: Date.now() + 100 })))
  t.match(await late, { code: 'cropper_timeout', message: /deadline passed before the cropper's endpoint/ })
  const client = new AbortController()
  const gone = failure(ask(picture, 'q', patience({ signal: client.signal })))
  setTimeout(() => client.abort(), 50)
  t.match(await gone, { code: 'request_aborted' })
  await Promise.all(ended)
  t.equal(ended.length, 3)
})

t.test('no more calls at once than configured; who waits too long gives up', async t => {
  const { baseUrl, most } = await countingUpstream(t)
  const ask = asking(baseUrl, { concurrency: 2 })
  await Promise.all(Array.from({ length: 7 }, () => ask(picture, 'q', patience())))
  t.equal(most(), 2)

  const stalled = await upstream(t, () => {})
  const single = asking(stalled.baseUrl, { concurrency: 1 })
  const client = new AbortController()
  const first = failure(single(picture, 'q', patience({ signal: client.signal })))
  t.match(await failure(single(picture, 'q', patience({ deadline: Date.now() + 50 }))), { code: 'cropper_timeout' })
  t.ok(stalled.received.length <= 1)
  client.abort()
  t.match(await first, { code: 'request_aborted' })
})
