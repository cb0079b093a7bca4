import { join, resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../../src/config/service.js'
import type { CropVlmError } from '../../../src/errors.js'
import { PROFILES } from '../../../src/target/profiles.js'

function problems(env: Record<string, string>): string[] {
  try {
    readConfig(env)
  } catch (error) {
    return (error as CropVlmError).message.split('\n- ').slice(1)
  }
  return []
}

const targetsProblems = (...targets: unknown[]) => problems({ TARGETS: JSON.stringify(targets) })

t.test('one target by its own variables', async t => {
  const env = { TARGET_BASE_URL: 'http://localhost:8000/v1/', TARGET_MODEL: 'Qwen/Qwen2.5-VL-3B-Instruct' }
  t.same(readConfig(env).targets, [
    {
      kind: 'openai',
      name: 'default',
      baseUrl: 'http://localhost:8000/v1',
      model: 'Qwen/Qwen2.5-VL-3B-Instruct',
      apiKey: null,
      timeoutMs: 30_000,
      concurrency: 8,
      query: '',
      headers: {},
      extraBody: {},
      profile: 'qwen2.5-vl',
      ...PROFILES['qwen2.5-vl'],
    },
  ])
  const more = { TARGET_API_KEY: 'k', TARGET_TIMEOUT_MS: '500', TARGET_CONCURRENCY: '1', TARGET_FULL_EDGE: '448' }
  t.match(readConfig({ ...env, ...more, TARGET_CROP_EDGE: 'original' }).targets, [
    { apiKey: 'k', timeoutMs: 500, concurrency: 1, fullEdge: 448, cropEdge: null },
  ])
})

t.test('one local target', async t => {
  const dir = resolve('models/mine')
  const local = { kind: 'local', name: 'local', dir, precision: null, resolution: null, timeoutMs: 30_000 }
  t.same(readConfig({ TARGET_MODEL: 'local:models/mine' }).targets, [local])
  t.same(readConfig({ LOCAL_TARGET_MODEL: 'models/mine' }).targets, [local])
})

t.test('several, as JSON and from a file', async t => {
  const targets = [
    { name: 'qwen', base_url: 'http://gpu:8000/v1', model: 'qwen', full_edge: 448, crop_edge: 'original' },
    { name: 'gpt', base_url: 'https://api.openai.com/v1', model: 'gpt-4.1-nano', api_key_env: 'OPENAI_API_KEY' },
    { name: 'small', model: 'local:models/mine', precision: 'int8', resolution: 512, timeout_ms: 100 },
  ]
  const env = { OPENAI_API_KEY: 'sk-1', TARGET_TIMEOUT_MS: '900' }
  const config = readConfig({ ...env, TARGETS: JSON.stringify(targets) })
  t.match(config.targets, [
    { kind: 'openai', name: 'qwen', fullEdge: 448, cropEdge: null, apiKey: null, timeoutMs: 900 },
    { kind: 'openai', name: 'gpt', apiKey: 'sk-1', profile: 'gpt-4.1', fullEdge: 2048 },
    { kind: 'local', name: 'small', dir: resolve('models/mine'), precision: 'int8', resolution: 512, timeoutMs: 100 },
  ])
  const TARGETS_FILE = join(t.testdir({ 'targets.json': JSON.stringify(targets) }), 'targets.json')
  t.same(readConfig({ ...env, TARGETS_FILE }).targets, config.targets)
})

t.test('the precision of a local target, by any of its names', async t => {
  for (const [precision, found] of [
    ['int8', 'int8'],
    ['q8', 'quantized'],
    ['auto', null],
    [null, null],
  ])
    t.match(readConfig({ TARGETS: JSON.stringify([{ name: 'l', model: 'local:x', precision }]) }).targets, [
      { precision: found },
    ])
})

t.test('what cannot go together', async t => {
  const url = 'http://localhost/v1'
  t.match(problems({ TARGETS: '[]', TARGET_BASE_URL: url }), [/TARGETS and TARGET_BASE_URL are set together/])
  t.match(problems({ TARGET_BASE_URL: url }), [/TARGET_MODEL is missing; give it as a text/])
  t.match(problems({ TARGET_MODEL: 'qwen' }), [/TARGET_BASE_URL is missing; give an http or https URL/])
  t.match(problems({ TARGET_BASE_URL: url, TARGET_MODEL: 'local:x' }), [/TARGET_BASE_URL is not an option of a local/])
  t.match(problems({ TARGET_API_KEY: 'k' }), [/TARGET_API_KEY is set, but not TARGET_BASE_URL and TARGET_MODEL/])
  t.match(problems({ TARGETS_FILE: '/nowhere.json' }), [
    /TARGETS_FILE is "\/nowhere.json", which cannot be read \(ENOENT\)/,
  ])
  const long = join(t.testdir({ long: ' '.repeat(1024 * 1024 + 1) }), 'long')
  t.match(problems({ TARGETS_FILE: long }), [
    /cannot be read \(it has more than 1048576 bytes\); give the path of a JSON/,
  ])
  if (process.platform === 'linux')
    t.match(problems({ TARGETS_FILE: '/dev/zero' }), [
      /cannot be read \(it is a pipe, a device or a socket, and no file\)/,
    ])
})

t.test('every wrong entry is named', async t => {
  const good = { name: 'a', base_url: 'http://localhost/v1', model: 'm' }
  t.match(problems({ TARGETS: '{}' }), [/TARGETS must be a JSON array/])
  t.match(problems({ TARGETS: '[]' }), [/TARGETS must be a JSON array of one target or more/])
  t.match(targetsProblems(good, { ...good, name: 'b', modle: 'm' }, 7), [
    /TARGETS\[1\]\.modle is not an option of an OpenAI-compatible target; those are name, base_url/,
    /TARGETS\[2\] must be an object/,
  ])
  t.match(targetsProblems({ ...good, name: 'a b', timeout_ms: '5', concurrency: 0, full_edge: 'big' }), [
    /TARGETS\[0\]\.name is "a b"; give a name of at most 64 letters/,
    /TARGETS\[0\]\.timeout_ms is "5"; give a whole number of ms from 100/,
    /TARGETS\[0\]\.concurrency is 0; /,
    /TARGETS\[0\]\.full_edge is "big"; /,
  ])
  t.match(targetsProblems(good, good), [/more than one target named "a"/])
  t.match(targetsProblems({ ...good, base_url: 'ftp://x' }), [/base_url is "ftp:\/\/x"; give an http or https URL/])
  t.match(targetsProblems({ name: 'l', model: 'local:' }), [/name a model folder after local:/])
  t.match(targetsProblems({ name: 'l', model: 'local:x', precision: 'q7' }), [/precision is "q7"; give one of fp32/])
  t.match(targetsProblems({ ...good, api_key_env: 'NOT_SET' }), [
    /api_key_env is "NOT_SET"; name an environment variable/,
  ])
  t.match(targetsProblems({ ...good, api_key: 'k', api_key_env: 'X' })[0], /both given; keep one/)
  t.same(targetsProblems({ ...good, api_key_env: 7 }), [
    'TARGETS[0].api_key_env is wrong; give the name of an environment variable.',
  ])
  t.same(targetsProblems({ ...good, model: '', crop_edge: 3, constructor: 1 }), [
    'TARGETS[0].constructor is not an option of an OpenAI-compatible target; those are name, base_url, model, api_key, api_key_env, timeout_ms, concurrency, full_edge, crop_edge, profile, crop_enlarge, min_side, prompt, system, reasoning_tokens, headers, query, extra_body.',
    'TARGETS[0].model is ""; give it as a text.',
    'TARGETS[0].crop_edge is 3; give a whole number of pixels from 16 to 16384, or original.',
  ])
})

const URL_AND_MODEL = { TARGET_BASE_URL: 'http://localhost:8000/v1', TARGET_MODEL: 'vlm' }
const first = (env: Record<string, string>) => readConfig(env).targets[0]
const entry = (more: object) => ({
  TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'vlm', ...more }]),
})

t.test("a profile by the model's name, by its own, and each of its values replaced", async t => {
  t.match(first(URL_AND_MODEL), { profile: 'plain', ...PROFILES.plain })
  t.match(first({ ...URL_AND_MODEL, TARGET_MODEL: 'gpt-5-mini' }), { profile: 'gpt-5', ...PROFILES['gpt-5'] })
  t.match(first({ ...URL_AND_MODEL, TARGET_PROFILE: 'paper' }), { profile: 'paper', fullEdge: 512, prompt: null })
  const set = {
    TARGET_FULL_EDGE: 'original',
    TARGET_CROP_EDGE: '640',
    TARGET_CROP_ENLARGE: '2.5',
    TARGET_MIN_SIDE: '56',
    TARGET_PROMPT: 'Q: {question}\\nA:',
    TARGET_SYSTEM: 'Be brief.\\nBe right.',
    TARGET_REASONING_TOKENS: '512',
  }
  const values = {
    fullEdge: null,
    cropEdge: 640,
    cropEnlarge: 2.5,
    minSide: 56,
    prompt: 'Q: {question}\nA:',
    system: 'Be brief.\nBe right.',
    reasoningTokens: 512,
  }
  t.match(first({ ...URL_AND_MODEL, ...set, TARGET_PROFILE: 'gemma' }), { profile: 'gemma', ...values })
  const own = {
    profile: 'llava-1.5',
    full_edge: 448,
    crop_edge: 'original',
    crop_enlarge: 1,
    min_side: 30,
    prompt: '{question}',
    system: 's',
    reasoning_tokens: 0,
  }
  t.match(first({ ...set, ...entry(own) }), {
    profile: 'llava-1.5',
    fullEdge: 448,
    cropEdge: null,
    cropEnlarge: 1,
    minSide: 30,
    prompt: '{question}',
    system: 's',
    reasoningTokens: 0,
  })
  t.match(first({ ...set, ...entry({ profile: 'paper' }) }), { profile: 'paper', ...values })
})

t.test('a template without its question, and other values that cannot be', async t => {
  t.match(problems({ ...URL_AND_MODEL, TARGET_PROMPT: 'Answer briefly.' }), [
    /TARGET_PROMPT is "Answer briefly."; set it to a text with \{question\} in it/,
  ])
  t.match(problems(entry({ prompt: 'Answer.', profile: 'qwen', crop_enlarge: 0.5, min_side: 0 })), [
    /profile is "qwen"; give one of qwen2.5-vl, qwen3-vl/,
    /crop_enlarge is 0.5; give a number from 1 to 100/,
    /min_side is 0; give a whole number of pixels from 1/,
    /prompt is "Answer."; give a text with \{question\} in it/,
  ])
})

t.test('a base URL with a query, with a path at its end, and further queries', async t => {
  const azure = 'https://n.openai.azure.com/openai/deployments/d'
  const address = (base_url: string, more = {}) => first(entry({ base_url, ...more }))
  t.match(address(`${azure}?api-version=2024-06-01`), { baseUrl: azure, query: 'api-version=2024-06-01' })
  t.match(address(`${azure}/chat/completions?api-version=1&api-version=2`), {
    baseUrl: azure,
    query: 'api-version=1&api-version=2',
  })
  t.match(address(`${azure}/?api-version=1`, { query: { 'api-version': '2', key: 'a b' } }), {
    baseUrl: azure,
    query: 'api-version=2&key=a+b',
  })
  t.match(first({ TARGET_BASE_URL: `${azure}/?api-version=1`, TARGET_MODEL: 'm' }), {
    baseUrl: azure,
    query: 'api-version=1',
  })
})

t.test('headers and further fields', async t => {
  const headers = { 'api-key': 'k', Authorization: 'Basic abc' }
  const extra_body = { reasoning_effort: 'low', nested: { a: [1] } }
  t.match(first(entry({ headers, extra_body })), { headers, extraBody: extra_body })
  const reasons = (more: object) => problems(entry(more))
  t.same(reasons({ extra_body: { model: 'm', stream: true } }), [
    'TARGETS[0].extra_body holds "model", which the service sets itself; leave it out.',
    'TARGETS[0].extra_body holds "stream", which the service sets itself; leave it out.',
  ])
  t.same(reasons({ headers: { 'Content-Type': 'text/plain' } }), [
    'TARGETS[0].headers holds "content-type", which the service sets itself; leave it out.',
  ])
  t.match(reasons({ headers, api_key: 'k' }), [/headers holds "authorization", and there is an API key too; keep one/])
  t.match(reasons({ headers: { a: 1 }, query: 'a=b', extra_body: [] }), [
    /headers is wrong; give an object of texts/,
    /query is wrong; give an object of texts/,
    /extra_body is wrong; give an object, like/,
  ])
})

t.test('no message shows a secret', async t => {
  const secret = 'hunter2'
  for (const env of [
    { TARGETS: `[{"api_key": "${secret}",}]` },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: `http://me:${secret}@host/v1`, model: 'm' }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: `me:${secret}@host/v1`, model: 'm' }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'nope', model: 'm', api_key: secret }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', api_key: [secret] }]) },
    // a common mistake: the key in place of the variable's name
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', api_key_env: secret }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: `ftp://x/?key=${secret}`, model: 'm' }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', headers: { a: [secret] } }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', headers: { a: `${secret}\n` } }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', query: [secret] }]) },
    { TARGETS: JSON.stringify([{ name: 'a', base_url: 'http://x/v1', model: 'm', extra_body: secret }]) },
    { TARGET_API_KEY: secret },
  ]) {
    const found = problems(env)
    t.equal(found.length, 1)
    t.notMatch(found.join(), new RegExp(secret))
  }
})
