import t from 'tap'
import { readConfig } from '../../../src/config/service.js'
import { targetOf, upstreamUrl } from '../../../src/proxy/upstream/upstream.js'

const at = (baseUrl: string, path: string, query?: string) =>
  upstreamUrl(
    { name: 'x', model: 'y', baseUrl, apiKey: null, timeoutMs: 1, ...(query === undefined ? {} : { query }) },
    path,
  ).href

t.test('what follows /v1 is appended to the base', async t => {
  for (const [base, path, expected] of [
    ['http://h:1/v1', '/v1/chat/completions', 'http://h:1/v1/chat/completions'],
    ['https://h/v1beta/openai', '/v1/chat/completions?a=b%20c', 'https://h/v1beta/openai/chat/completions?a=b%20c'],
    ['http://h', '/v1/models', 'http://h/models'],
    ['http://h/v1', '/v1', 'http://h/v1'],
    ['http://h/v1', '/v1/files/a%2Fb', 'http://h/v1/files/a%2Fb'],
    ['http://h/v1?api-version=1', '/v1/x?y=2', 'http://h/v1/x?api-version=1&y=2'],
  ])
    t.equal(at(base as string, path as string), expected)
  t.equal(at('http://h/v1', '/v1/x', 'k=1'), 'http://h/v1/x?k=1')
})

t.test('no path leads out of the base', async t => {
  for (const path of ['/v1/../x', '/v1/..', '/v1/%2e%2E/x', '/v1/a/../../v2', '/v1/..\\x'])
    t.throws(() => at('http://h/v1', path), { code: 'not_found' }, path)
  t.throws(() => at('http://h', '/v1@evil/x'.replace('/v1', '')), { code: 'not_found' }, 'another host')
})

t.test('the target that a model names', async t => {
  const TARGETS = JSON.stringify([
    { name: 'one', base_url: 'http://h/v1', model: 'm1' },
    { name: 'two', base_url: 'http://h/v1', model: 'two' },
    { name: 'm1', model: 'local:models/smolvlm-mini' },
  ])
  const { targets } = readConfig({ TARGETS })
  const named = (model: string | null) => {
    const { target, byName } = targetOf(targets, model)
    return [target.name, byName]
  }
  t.strictSame(named('one'), ['one', true])
  t.strictSame(named('two'), ['two', false], 'its model has that name too')
  t.strictSame(named('m1'), ['m1', true], "a target's name goes before a model's")
  t.strictSame(named('other'), ['one', false])
  t.strictSame(named(null), ['one', false])
})
