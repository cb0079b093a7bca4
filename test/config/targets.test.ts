import { join, resolve } from 'node:path'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import type { CropVlmError } from '../../src/errors.js'

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
      fullEdge: 512,
      cropEdge: 512,
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
    { kind: 'openai', name: 'gpt', apiKey: 'sk-1', fullEdge: 512 },
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
    'TARGETS[0].constructor is not an option of an OpenAI-compatible target; those are name, base_url, model, api_key, api_key_env, timeout_ms, concurrency, full_edge, crop_edge.',
    'TARGETS[0].model is ""; give it as a text.',
    'TARGETS[0].crop_edge is 3; give a whole number of pixels from 16 to 16384, or original.',
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
    { TARGET_API_KEY: secret },
  ]) {
    const found = problems(env)
    t.equal(found.length, 1)
    t.notMatch(found.join(), new RegExp(secret))
  }
})
