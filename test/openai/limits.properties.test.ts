/** What holds calls back: the semaphore and the breaker, in any order of calls, ends and time. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Breaker, BreakerOpen, type Verdict } from '../../src/openai/breaker.js'
import { Semaphore } from '../../src/openai/semaphore.js'
import { settled } from '../support/properties/clock.js'
import { expect, holds } from '../support/properties/runs.js'

t.setTimeout(3_600_000)

type Call = fc.Arbitrary<{ do: 'start' } | { do: 'end'; which: number; well: boolean } | { do: 'abort'; which: number }>
const which = fc.nat(4)
const call: Call = fc.oneof(
  fc.constant({ do: 'start' as const }),
  fc.record({ do: fc.constant('end' as const), which, well: fc.boolean() }),
  fc.record({ do: fc.constant('abort' as const), which }),
)

interface Running {
  state: 'waits' | 'runs' | 'over'
  outcome: unknown
  abort: AbortController
  end: (well: boolean) => void
}

holds(
  'a semaphore: never too many at once, in their order, none lost and none idle while there is room',
  fc.asyncProperty(
    fc.integer({ min: 1, max: 3 }),
    fc.array(call, { maxLength: 40, size: 'max' }),
    async (max, actions) => {
      const semaphore = new Semaphore(max)
      const calls: Running[] = []
      const started: Running[] = []
      const start = () => {
        const one: Running = { state: 'waits', outcome: null, abort: new AbortController(), end: () => {} }
        calls.push(one)
        const work = () => {
          one.state = 'runs'
          started.push(one)
          return new Promise<string>((resolve, reject) => {
            one.end = well => (well ? resolve('well') : reject(new Error('badly')))
          })
        }
        const over = (outcome: unknown) => {
          assert.equal(one.outcome, null, 'over twice')
          Object.assign(one, { outcome, state: 'over' })
        }
        semaphore.run(one.abort.signal, work).then(over, error => over(String(error.message)))
      }
      const of = (state: Running['state']) => calls.filter(one => one.state === state)
      const nth = (list: readonly Running[], index: number) => list[index % Math.max(1, list.length)]
      for (const action of [...actions, ...actions.map(() => ({ do: 'end', which: 0, well: true }) as const)]) {
        if (action.do === 'start') start()
        else if (action.do === 'end') nth(of('runs'), action.which)?.end(action.well)
        else {
          const one = nth(of('waits'), action.which)
          one?.abort.abort(new Error('gone'))
          await settled()
          if (one) assert.equal(one.outcome, 'gone')
        }
        await settled()
        expect(of('runs').length <= max, `${of('runs').length} run`)
        expect(of('waits').length === 0 || of('runs').length === max, 'one waits while there is room')
        assert.deepEqual(
          started,
          calls.filter(one => started.includes(one)),
          'out of order',
        )
      }
      expect(of('over').length === calls.length, 'one is lost')
    },
  ),
  200,
)

const verdict = fc.constantFrom<Verdict | 'answer'>('answer', 'down', 'down', 'down', 'up', 'unknown')
const step = fc.oneof(
  fc.constant({ do: 'start' as const }),
  fc.record({ do: fc.constant('end' as const), which, verdict }),
  fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 50, 99, 100) }),
)

holds(
  'a breaker refuses what it should, and nothing else',
  fc.asyncProperty(fc.nat(3), fc.array(step, { maxLength: 60, size: 'max' }), async (limit, steps) => {
    let now = 0
    const breaker = new Breaker({ failures: limit, openMs: 100, now: () => now })
    // the same, as simply as it can be said
    let [failures, nextTry] = [0, null as number | null]
    const flying: { isTry: boolean; end: (verdict: Verdict | 'answer') => void }[] = []
    for (const action of steps) {
      if (action.do === 'pass') now += action.ms
      else if (action.do === 'start') {
        const isRefused = nextTry !== null && (now < nextTry || flying.some(({ isTry }) => isTry))
        let outcome: 'refused' | 'runs' = 'refused'
        let end = (_: Verdict | 'answer') => {}
        const work = () =>
          new Promise<void>((resolve, reject) => {
            outcome = 'runs'
            end = verdict => (verdict === 'answer' ? resolve() : reject(verdict))
          })
        breaker
          .run(work, error => error as Verdict)
          .catch(error => {
            if (typeof error !== 'string') assert.ok(error instanceof BreakerOpen)
          })
        await settled()
        assert.equal(outcome, isRefused ? 'refused' : 'runs')
        if (!isRefused) flying.push({ isTry: nextTry !== null, end })
      } else {
        const [one] = flying.splice(action.which % Math.max(1, flying.length), 1)
        if (!one) continue
        one.end(action.verdict)
        await settled()
        if (action.verdict === 'down') {
          failures++
          if (limit > 0 && failures >= limit) nextTry = now + 100
        } else if (action.verdict !== 'unknown') [failures, nextTry] = [0, null]
      }
      const retryInMs = nextTry === null ? null : Math.max(0, nextTry - now)
      assert.deepEqual(breaker.state, { open: nextTry !== null, failures, retryInMs })
    }
  }),
  300,
)
