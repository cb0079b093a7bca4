import t from 'tap'
import { type Expectation, wrongReply } from '../../../../bench/soak/requests/expect.js'

const CALM = { killed: false, crowded: false }
const ID = { 'x-request-id': 'r1' }

function reply(status: number, body: unknown = {}, headers: Record<string, string> = ID, isCut = false) {
  return { status, headers, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), isCut }
}

function envelope(code: string, type: string, more: object = {}) {
  return { error: { message: 'No.', type, param: null, code, source: 'gateway', ...more }, request_id: 'r1' }
}

const OK: Expectation = { statuses: [200], engine: true }
const UNAVAILABLE = reply(503, envelope('engine_unavailable', 'server_error'), { ...ID, 'retry-after': '1' })
const FULL = reply(429, envelope('queue_full', 'rate_limit_error'), { ...ID, 'retry-after': '1' })

t.test('what a request may be told', async t => {
  t.equal(wrongReply(reply(200), OK, CALM), null)
  t.equal(wrongReply(FULL, OK, CALM), null, 'the machine is busy')
  t.match(wrongReply(FULL, { statuses: [404] }, CALM), /^status 429, not 404/)
  t.match(wrongReply(UNAVAILABLE, OK, CALM), /^status 503, not 200\/429: \{"error"/)
  t.equal(wrongReply(UNAVAILABLE, OK, { ...CALM, killed: true }), null)
  t.match(wrongReply(UNAVAILABLE, { statuses: [200] }, { ...CALM, killed: true }), /503/, 'it needs no engine')
  const late = reply(504, envelope('deadline_exceeded', 'server_error'))
  t.match(wrongReply(late, OK, CALM), /504/)
  t.equal(wrongReply(late, OK, { ...CALM, crowded: true }), null)
  t.match(wrongReply(reply(500, envelope('internal_error', 'server_error')), OK, CALM), /^status 500/)
})

t.test('no reply, and half of one', async t => {
  t.equal(wrongReply(reply(0), OK, CALM), 'no reply')
  t.equal(wrongReply(reply(0), { ...OK, leaves: true }, CALM), null)
  t.equal(wrongReply(reply(200, '{"bb', ID, true), OK, CALM), 'status 200, and the reply broke off')
  t.equal(wrongReply(reply(200, '{"bb', ID, true), { ...OK, leaves: true }, CALM), null)
  t.equal(wrongReply(reply(200, 'data:', ID, true), { statuses: [200], forwarded: true }, CALM), null)
})

t.test("an error's envelope", async t => {
  const bad: Expectation = { statuses: [400, 413, 502] }
  const type = 'invalid_request_error'
  t.equal(wrongReply(reply(413, envelope('image_too_large', type)), bad, CALM), null)
  t.equal(wrongReply(reply(502, 'busy'), { ...bad, forwarded: true }, CALM), null, "the target's own")
  for (const [odd, message] of [
    [reply(400, '<html>'), /^no envelope of an error: <html>/],
    [reply(400, envelope('none_of_ours', type)), /^no envelope/],
    [reply(400, envelope('missing_field', type, { message: '' })), /^no envelope/],
    [reply(400, envelope('image_too_large', type)), /^400 has the wrong envelope/],
    [reply(400, envelope('missing_field', 'server_error')), /^400 has the wrong envelope/],
    [reply(400, envelope('missing_field', type, { source: undefined })), /^400 has the wrong envelope/],
    [reply(400, envelope('missing_field', type), { 'x-request-id': 'r2' }), /^the reply's id is not its header's/],
  ] as const)
    t.match(wrongReply(odd, bad, CALM), message)
  const noHint = reply(429, envelope('queue_full', 'rate_limit_error'))
  t.match(wrongReply(noHint, OK, CALM), /^429 without Retry-After/)
})
