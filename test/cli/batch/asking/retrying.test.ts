import t from 'tap'
import { type Clock, Retrying } from '../../../../src/cli/batch/asking/retrying.js'
import { ClientError, type ClientErrorDetails } from '../../../../src/client/error.js'

/** A clock that only sleeping moves. */
function makeClock(random = 0): Clock & { waits: number[] } {
  let time = 0
  const waits: number[] = []
  return {
    waits,
    now: () => time,
    async sleep(ms, signal) {
      if (signal.aborted) return
      waits.push(ms)
      time += ms
    },
    random: () => random,
  }
}

const failed = (code: string, details: ClientErrorDetails = {}) => new ClientError(code, `It is ${code}.`, details)
const full = (retryAfter: number | null = 1) => failed('queue_full', { status: 429, retryAfter })
const unreachable = failed('unreachable')

function setUp(outcomes: (ClientError | string)[], { patience = 120, random = 0 } = {}) {
  const clock = makeClock(random)
  const stop = new AbortController()
  const retrying = new Retrying(1000 * patience, stop.signal, clock)
  const request = async () => {
    const next = outcomes.length > 1 ? outcomes.shift() : outcomes[0]
    if (next instanceof ClientError) throw next
    return next
  }
  return { clock, stop, retrying, request }
}

t.test('a refusal is repeated after Retry-After, later each time', async t => {
  const { clock, retrying, request } = setUp([full(3), full(3), full(null), full(3), full(3), 'box'])
  t.equal(await retrying.ask(request), 'box')
  t.same(clock.waits, [3000, 3000, 2000, 4000, 8000])
})

t.test('no two rows come back at the same moment, and none before Retry-After', async t => {
  const { clock, retrying, request } = setUp([full(4), 'box'], { random: 0.5 })
  await retrying.ask(request)
  t.same(clock.waits, [5000])
})

t.test('a Retry-After of an hour is not waited for at once', async t => {
  const { clock, retrying, request } = setUp([failed('draining', { status: 503, retryAfter: 3600 })])
  await t.rejects(retrying.ask(request), { name: 'ServiceLost', verdict: 'later' })
  t.same(clock.waits, [60_000, 60_000])
})

t.test('what is wrong with the row is not repeated', async t => {
  for (const [code, status] of [
    ['image_undecodable', 422],
    ['image_too_large', 413],
    ['invalid_option', 400],
    ['url_not_allowed', 403],
    // of a proxy in front
    ['unreachable', 413],
  ] as const) {
    const { clock, retrying, request } = setUp([failed(code, { status })])
    await t.rejects(retrying.ask(request), { code })
    t.same(clock.waits, [], code)
  }
})

t.test('what failed for itself is repeated twice', async t => {
  for (const error of [
    failed('internal_error', { status: 500 }),
    failed('target_failed', { status: 502 }),
    failed('deadline_exceeded', { status: 504 }),
    failed('timeout'),
  ]) {
    const { clock, retrying, request } = setUp([error], { patience: 1 })
    await t.rejects(retrying.ask(request), { code: error.code })
    t.same(clock.waits, [500, 1000], error.code)
  }
})

t.test('a service that cannot be reached is waited for, but not for ever', async t => {
  const back = setUp([unreachable, unreachable, 'box'])
  t.equal(await back.retrying.ask(back.request), 'box')
  const gone = setUp([unreachable])
  await t.rejects(gone.retrying.ask(gone.request), {
    name: 'ServiceLost',
    verdict: 'gone',
    cause: { code: 'unreachable' },
  })
  t.same(gone.clock.waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  const proxy = setUp([failed('unreachable', { status: 502 })])
  await t.rejects(proxy.retrying.ask(proxy.request), { name: 'ServiceLost', verdict: 'gone' })
})

t.test('a target that is not asked now is waited for', async t => {
  const { clock, retrying, request } = setUp([failed('target_failed', { status: 502, retryAfter: 30 }), 'answer'])
  t.equal(await retrying.ask(request), 'answer')
  t.same(clock.waits, [30_000])
})

t.test('a wrong key, or an address of something else, ends the run at once', async t => {
  for (const error of [
    failed('invalid_api_key', { status: 401 }),
    failed('unreachable', { status: 404 }),
    failed('unreachable', { status: 200 }),
  ]) {
    const { clock, retrying, request } = setUp([error])
    await t.rejects(retrying.ask(request), { name: 'ServiceLost', verdict: 'stop' })
    t.same(clock.waits, [])
  }
})

t.test('a row that is refused while others are answered has an error in the end', async t => {
  const { clock, retrying, request } = setUp([failed('engine_unavailable', { status: 503, retryAfter: 1 })])
  const { sleep } = clock
  clock.sleep = async (ms, signal) => {
    await sleep(ms, signal)
    // another row gets through
    await retrying.ask(async () => 'box')
  }
  await t.rejects(retrying.ask(request), { code: 'engine_unavailable' })
  t.equal(clock.waits.length, 9)
})

t.test('a run that was idle for long has all its patience', async t => {
  const { clock, retrying, request } = setUp([unreachable, unreachable, 'box'])
  await clock.sleep(10_000_000, new AbortController().signal)
  t.equal(await retrying.ask(request), 'box')
})

t.test('waiting ends when the run is stopped', async t => {
  const { clock, stop, retrying, request } = setUp([full()])
  clock.sleep = async () => stop.abort()
  await t.rejects(retrying.ask(request), { name: 'Stopped' })
})
