/**
 * The proxy in front of servers that nobody here wrote, with clients that nobody here wrote: each gets its answer, the prompt
 * grows by the crop, and what the servers say comes through byte for byte.
 */
import t from 'tap'
import { ANSWER, noServers, startLiteLlm, startLlamaCpp, startTransformersServe } from '../../support/servers.js'
import { IMAGE, QUESTION, startInFront } from './in-front.js'
import { readMade } from './made.js'

t.setTimeout(600_000)

/** Port 9 is for discarding; nothing listens there. */
const DOWN = { baseUrl: 'http://127.0.0.1:9/v1', model: 'any', apiKey: null }

/** Tokens of the text before a crop, and of a crop: of llama.cpp two tiles, of transformers one. */
const NOTE = 12
const ADDED = { llama: NOTE + 134, serve: NOTE + 67, lite: NOTE + 67 }

/** By server and client, what is asked. Each reply's shape is the client's own. */
const ASKED = [
  ['llama', 'openai_client.py', ['create', 'stream', 'responses', 'responses_stream', 'n_and_logprobs', 'models']],
  ['llama', 'anthropic_client.py', ['create', 'stream']],
  ['llama', 'langchain_client.py', ['create', 'stream', 'responses']],
  ['serve', 'openai_client.py', ['create', 'stream', 'responses_stream']],
  ['serve', 'litellm_client.py', ['create', 'stream']],
  ['lite', 'openai_client.py', ['create', 'stream']],
  // without a stream this client gets no answer from LiteLLM and transformers, with the proxy or without it
  ['lite', 'anthropic_client.py', ['stream']],
] as const

/** Cases whose replies are the same with and without a crop. */
const HAVE_NO_ANSWER = new Set<string>(['responses_stream', 'n_and_logprobs', 'models'])

/** What of llama.cpp's replies to OpenAI's client has no answer in it. */
const LLAMA_ONLY = {
  responses_stream: [{ length: 16 }, { 4: 'response.output_text.delta', 15: 'response.completed' }],
  n_and_logprobs: [
    { status: 400 },
    { error: 'BadRequestError', status: 400, text: /between 1 <= value <= 1, but got 2/ },
  ],
  models: [{ length: 1 }, [/tiny-smolvlm\.gguf$/]],
}

t.test('the proxy in front of real servers', { skip: noServers }, async t => {
  const [llama, serve, small, blind] = await Promise.all([
    startLlamaCpp(t),
    startTransformersServe(t),
    startLlamaCpp(t, { context: 256 }),
    startLlamaCpp(t, { multimodal: false }),
  ])
  const lite = await startLiteLlm(t, { tiny: serve, down: DOWN, blind })
  const { run, send, last } = await startInFront(t, {
    llama,
    serve,
    lite,
    small: { ...small, model: 'small' },
    blind: { ...blind, model: 'blind-llama' },
    other: { ...serve, model: 'another-model' },
    down: { ...lite, model: 'down' },
    blindLite: { ...lite, model: 'blind' },
    wrongKey: { ...lite, model: 'tiny-too', apiKey: 'sk-another-key' },
  })

  for (const [name, program, cases] of ASKED)
    await t.test(`${name}: ${program}`, async t => {
      const results = await run(name, program, [...cases])
      for (const one of cases) {
        const [direct, proxied] = (results[one] ?? []).map(readMade)
        if (HAVE_NO_ANSWER.has(one)) t.strictSame(results[one]?.[1], results[one]?.[0], one)
        else if (!direct) t.fail(`${one}: ${JSON.stringify(results[one])}`)
        else t.strictSame(proxied, { text: ANSWER, prompt: direct.prompt + ADDED[name], completion: 9 }, one)
      }
      t.match(results, program === 'openai_client.py' && name === 'llama' ? LLAMA_ONLY : {})
    })

  const chat = (model: string, more: object = {}) => {
    const content = [
      { type: 'image_url', image_url: { url: IMAGE } },
      { type: 'text', text: QUESTION },
    ]
    return { model, messages: [{ role: 'user', content }], temperature: 0, ...more }
  }

  for (const [name, { model }] of Object.entries({ llama, serve, lite }))
    await t.test(`${name}: the reply's bytes, whole and as a stream`, async t => {
      const whole = await send(name as 'llama', '/v1/chat/completions', chat(model))
      t.equal(whole.response.headers.get('x-cropvlm-decision'), 'zoomed')
      const bytes = Buffer.from(await whole.response.arrayBuffer())
      t.match(bytes.toString(), ANSWER)
      t.ok(bytes.equals(last(name as 'llama')?.reply.body ?? Buffer.alloc(0)), bytes.toString())

      const { response, seen } = await send(name as 'llama', '/v1/chat/completions', chat(model, { stream: true }))
      const chunks: Uint8Array[] = []
      for await (const chunk of response.body ?? []) {
        chunks.push(chunk)
        // the server's first words, of which the rest waits
        if (/"content": ?" ?The"/.test(Buffer.concat(chunks).toString())) await seen()
      }
      const stream = Buffer.concat(chunks)
      t.match(stream.toString(), /"finish_reason": ?"stop"/)
      t.ok(stream.equals(last(name as 'llama')?.reply.body ?? Buffer.alloc(0)), stream.toString())
    })

  const failures = [
    ['small', 'longer than its context', 400, /exceeds the available context size/],
    ['blind', 'a model without its vision encoder', 500, /mmproj/],
    ['other', 'a model that transformers does not serve', 400, /Server is pinned to/],
    ['down', 'LiteLLM in front of what is down', 500, /Connection error/],
    ['blindLite', 'LiteLLM in front of a model that reads no images', 500, /mmproj/],
    ['wrongKey', "a key that is not LiteLLM's", 400, /No connected db/],
  ] as const
  for (const [name, what, status, says] of failures)
    for (const stream of [false, true])
      await t.test(`${what}: the server's error${stream ? ', of a stream' : ''}`, async t => {
        // a target's name stands for its model
        const { response } = await send(name, '/v1/chat/completions', chat(name, { stream }))
        const body = Buffer.from(await response.arrayBuffer())
        t.equal(response.status, last(name)?.reply.status)
        t.ok(body.equals(last(name)?.reply.body ?? Buffer.alloc(0)), body.toString())
        t.equal(response.headers.get('x-cropvlm-decision'), 'zoomed')
        t.equal(response.status, status)
        t.match(body.toString(), says)
      })
})
