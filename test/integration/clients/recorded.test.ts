/**
 * Clients of Python, which nobody here wrote, in front of an upstream that records: each calls it directly and through the
 * proxy. The upstream gets the same bytes but for the crop, and the client makes the same of the reply.
 */
import t, { type Test } from 'tap'
import { CROP_URL, NOTE, PAGE_URL, proxied } from '../../support/fakes/proxy.js'
import { recorder } from '../../support/fakes/recorder.js'
import { type Exchange, startRelay } from '../../support/network/relay.js'
import { noServers } from '../../support/servers.js'
import { runClient } from './run-client.js'
import { scripted, TEXT } from './scripted.js'

t.setTimeout(600_000)

const QUESTION = 'What is the total?'
/** What the proxy puts into a request, by its path. */
const INSERTED: Readonly<Record<string, string>> = {
  '/v1/chat/completions': `,{"type":"text","text":"${NOTE}"},{"type":"image_url","image_url":{"url":"${CROP_URL}","detail":"high"}}`,
  '/v1/responses': `,{"type":"input_text","text":"${NOTE}"},{"type":"input_image","image_url":"${CROP_URL}","detail":"high"}`,
  '/v1/messages': `,{"type":"text","text":"${NOTE}"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"${CROP_URL.split(',')[1]}"}}`,
}

/** The results through the proxy, which are those without it. */
async function through(t: Test, program: string, cases: string[]): Promise<Record<string, unknown>> {
  const upstream = await recorder(t, scripted)
  const [direct, behind] = await Promise.all([startRelay(t, upstream.baseUrl), startRelay(t, upstream.baseUrl)])
  const { url } = await proxied(t, {
    TARGETS: JSON.stringify([{ name: 'all', base_url: behind.baseUrl, model: 'vlm', full_edge: 512 }]),
  })
  const servers = [
    { base_url: direct.baseUrl, api_key: 'sk-x', seen: direct.seen },
    { base_url: `${url}/v1`, api_key: 'sk-x', seen: behind.seen },
  ]
  const results = await runClient(program, { servers, model: 'vlm', image: PAGE_URL, question: QUESTION, cases })
  for (const name of cases) t.strictSame(results[name]?.[1], results[name]?.[0], `${name}: the same with and without`)
  compare(t, direct.exchanges, behind.exchanges)
  return Object.fromEntries(cases.map(name => [name, results[name]?.[1]]))
}

function compare(t: Test, direct: readonly Exchange[], behind: readonly Exchange[]): void {
  t.equal(behind.length, direct.length)
  for (const [i, { url, method, body, headers, reply }] of direct.entries()) {
    const other = behind[i]
    t.match(other, { url, method })
    const { 'x-request-id': id, ...same } = passed(other?.headers)
    t.match(id, /^[\w-]{36}$/, `${url}: the id of the request in our log`)
    t.strictSame(same, passed(headers), `${url}: the same headers but for it`)
    t.ok(other?.reply.body.equals(reply.body), `${url}: the same reply`)
    const crop = INSERTED[url]
    const parts = other?.body.toString().split(crop ?? '\0') ?? []
    t.equal(parts.length, crop === undefined ? 1 : 2, `${url}: a crop, and one only`)
    t.equal(parts.join(''), body.toString(), `${url}: the same body but for it`)
  }
}

/** The headers that do not belong to one connection. */
function passed({ host, connection, 'content-length': length, ...others }: Exchange['headers'] = {}) {
  return others
}

const ERROR = { status: 429, text: /Slow down/ }

t.test("OpenAI's client for Python", { skip: noServers }, async t => {
  const results = await through(t, 'openai_client.py', [
    ...['create', 'n_and_logprobs', 'stream', 'tools', 'tools_stream', 'parse', 'responses', 'responses_stream'],
    ...['models', 'error'],
  ])
  t.match(results, {
    create: { choices: [{ message: { content: TEXT } }], usage: { prompt_tokens: 700 }, kv_transfer_params: null },
    n_and_logprobs: { choices: [{ index: 0 }, { index: 1, logprobs: { content: [{ logprob: -0.25 }] } }] },
    stream: { length: 7, 2: { choices: [{ delta: { content: ' is' } }] }, 6: { usage: { prompt_tokens: 700 } } },
    tools: [
      { tool_calls: [{ function: { arguments: '{"item": "total"}' } }] },
      { choices: [{ finish_reason: 'stop' }] },
    ],
    tools_stream: { tool_calls: [{ function: { name: 'look_up', arguments: '{"item": "total"}' } }] },
    parse: { total: '31.70' },
    responses: { text: TEXT, status: 'completed', usage: { input_tokens: 700 } },
    responses_stream: { length: 10, 9: 'response.completed' },
    models: ['vlm'],
    error: { ...ERROR, error: 'RateLimitError', body: { code: 'rate_limit_exceeded' } },
  })
})

t.test("LangChain's ChatOpenAI", { skip: noServers }, async t => {
  const results = await through(t, 'langchain_client.py', [
    ...['create', 'stream', 'tools', 'parse', 'responses', 'error'],
  ])
  const answer = { text: TEXT, usage: { input_tokens: 700, output_tokens: 4 } }
  t.match(results, {
    create: answer,
    stream: answer,
    tools: [{ calls: [{ name: 'look_up', args: { item: 'total' } }] }, answer],
    parse: { total: '31.70' },
    responses: answer,
    error: { ...ERROR, status: 429 },
  })
})

t.test('LiteLLM as a client', { skip: noServers }, async t => {
  const results = await through(t, 'litellm_client.py', ['create', 'stream', 'tools', 'parse', 'error'])
  const answer = { text: TEXT, end: 'stop', calls: [], usage: [700, 4] }
  t.match(results, {
    create: answer,
    stream: answer,
    tools: [{ end: 'tool_calls', calls: [['look_up', '{"item": "total"}']] }, answer],
    parse: { total: '31.70' },
    error: { ...ERROR, error: 'RateLimitError' },
  })
})

t.test("Anthropic's client", { skip: noServers }, async t => {
  const results = await through(t, 'anthropic_client.py', ['create', 'stream', 'tools', 'error'])
  const answer = { content: [{ type: 'text', text: TEXT }], stop_reason: 'end_turn', usage: { output_tokens: 4 } }
  t.match(results, {
    create: { ...answer, usage: { input_tokens: 700 } },
    stream: answer,
    tools: [{ content: [{ type: 'tool_use', input: { item: 'total' } }], stop_reason: 'tool_use' }, answer],
    error: { ...ERROR, body: { error: { type: 'rate_limit_error' } } },
  })
})
