/** Keys: ours is not the upstream's (point 11). */
import { pino } from 'pino'
import t from 'tap'
import { listen } from '../../../support/fakes/app.js'
import { ask, proxied } from '../../../support/fakes/proxy.js'
import { recorder } from '../../../support/fakes/recorder.js'

const PATH = '/v1/chat/completions'
const BODY = { messages: [ask('What is the total?')] }
const OURS = { API_KEY: 'ours' }
const THEIRS = { TARGET_API_KEY: 'theirs' }

t.test('with a key of ours, the caller gives it and the upstream gets its own', async t => {
  const { post, url, upstream } = await proxied(t, { ...OURS, ...THEIRS })
  const refused = await post(PATH, BODY)
  t.equal(refused.status, 401)
  t.match(await refused.json(), { error: { code: 'invalid_api_key' } })
  t.equal((await post(PATH, BODY, { authorization: 'Bearer theirs' })).status, 401)
  t.equal(upstream.requests.length, 0)
  t.equal((await post(PATH, BODY, { authorization: 'Bearer ours' })).status, 200)
  t.equal(upstream.last().headers.authorization, 'Bearer theirs')
  t.equal((await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer ours' } })).status, 200)
  t.equal(upstream.last().headers.authorization, 'Bearer theirs')
})

t.test("the same in the header that Anthropic's clients send", async t => {
  const { post, upstream } = await proxied(t, { ...OURS, ...THEIRS })
  t.equal((await post('/v1/messages', BODY, { 'x-api-key': 'wrong' })).status, 401)
  t.equal((await post('/v1/messages', BODY, { 'x-api-key': 'ours' })).status, 200)
  t.match(upstream.last().headers, { 'x-api-key': 'theirs' })
  t.notOk(upstream.last().headers.authorization)
  t.equal((await post('/crop', {}, { 'x-api-key': 'ours' })).status, 401, 'no other route takes it')
})

t.test('without a key of the upstream, ours goes no further', async t => {
  const { post, upstream } = await proxied(t, OURS)
  await post(PATH, BODY, { authorization: 'Bearer ours', 'x-api-key': 'ours' })
  t.notMatch(JSON.stringify(upstream.last().rawHeaders), /ours/)
})

t.test("without a key of ours, the caller's goes through; where there is none, the configured one is sent", async t => {
  const { post, upstream } = await proxied(t, THEIRS)
  await post(PATH, BODY, { authorization: 'Bearer mine' })
  t.equal(upstream.last().headers.authorization, 'Bearer mine')
  await post('/v1/messages', BODY, { 'x-api-key': 'mine' })
  t.equal(upstream.last().headers['x-api-key'], 'mine')
  t.notOk(upstream.last().headers.authorization)
  await post(PATH, BODY)
  t.equal(upstream.last().headers.authorization, 'Bearer theirs')
})

t.test('no key and no image is logged, whatever the level', async t => {
  const lines: string[] = []
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) })
  const { baseUrl } = await recorder(t, response => response.destroy())
  const env = { API_KEY: 'our-secret', TARGET_API_KEY: 'their-secret', TARGET_BASE_URL: baseUrl, TARGET_MODEL: 'vlm' }
  const { url } = await listen(t, {}, env, { log })
  const body = JSON.stringify(BODY)
  const headers = { 'content-type': 'application/json', authorization: 'Bearer our-secret' }
  t.equal((await fetch(url + PATH, { method: 'POST', body, headers })).status, 502)
  const text = lines.join('')
  t.match(text, 'target_failed')
  t.notMatch(text, /our-secret|their-secret|base64|What is the total/)
})
