import t from 'tap'
import { type CallOptions, CropVlmClient } from '../../src/client/client.js'
import { ClientError } from '../../src/client/error.js'
import { IMAGE, listen } from '../support/fakes/app.js'

const request = { image: new Uint8Array(IMAGE), question: 'What is the total?' }

/** A client of a service that is asked through `answers` first: each status with its Retry-After, then the service. */
function refusing(t: { equal: (a: unknown, b: unknown) => unknown }, url: string, answers: [number, string?][]) {
  let asked = 0
  const send: typeof fetch = (input, init) => {
    asked += 1
    const [status, after] = answers.shift() ?? []
    if (status === undefined) return fetch(input, init)
    const error = { message: 'Wait.', code: 'queue_full', type: 'rate_limit_error', param: null, source: 'gateway' }
    const headers = after === undefined ? {} : { 'retry-after': after }
    return Promise.resolve(new Response(JSON.stringify({ error }), { status, headers }))
  }
  const crop = (retries: number, options?: CallOptions) =>
    new CropVlmClient({ baseUrl: url, fetch: send, retries, maxRetryAfterMs: 1000 }).crop(request, options)
  return { crop, asked: (times: number) => t.equal(asked, times) }
}

t.test('a refusal is tried again as it says, as often as allowed', async t => {
  const { url } = await listen(t)
  const patient = refusing(t, url, [
    [429, '0'],
    [503, '1'],
  ])
  // the form is sent whole each time
  t.match(await patient.crop(2), { object: 'crop' })
  patient.asked(3)
  for (const [retries, answers, asked] of [
    [0, [[429, '0']], 1],
    [1, [[429, '0'], [429, '0']], 2], // biome-ignore format: one line each
    [5, [[429]], 1],
    [5, [[503, '2']], 1],
    [5, [[500, '0']], 1],
  ] satisfies [number, [number, string?][], number][]) {
    const status = answers[0]?.[0]
    const impatient = refusing(t, url, [...answers])
    t.match(await t.rejects(impatient.crop(retries)), { code: 'queue_full', status })
    impatient.asked(asked)
  }
})

t.test('a wait ends where the caller ends it', async t => {
  const { url } = await listen(t)
  const stop = new AbortController()
  const waiting = refusing(t, url, [[429, '1']]).crop(1, { signal: stop.signal })
  setImmediate(() => stop.abort(new Error('enough')))
  const error = await t.rejects(waiting, ClientError)
  t.match(error, { code: 'aborted' })
})
