import t from 'tap'
import { Breaker, type Verdict } from '../../src/openai/breaker.js'

function make(failures = 2) {
  let time = 0
  const breaker = new Breaker({ failures, openMs: 100, now: () => time })
  /** A call that ends as its verdict says, or with an answer. */
  const call = (verdict: Verdict | 'answer', gate: Promise<unknown> = Promise.resolve()) =>
    breaker
      .run(
        async () => {
          await gate
          if (verdict !== 'answer') throw new Error(verdict)
          return verdict
        },
        error => (error as Error).message as Verdict,
      )
      .catch(error => ((error as Error).name === 'BreakerOpen' ? 'refused' : (error as Error).message))
  return { breaker, call, pass: (ms: number) => (time += ms) }
}

t.test('opens after failures in a row, and what comes between starts the row anew', async t => {
  const { breaker, call } = make()
  t.same(breaker.state, { open: false, failures: 0, retryInMs: null })
  for (const verdict of ['down', 'answer', 'down', 'up', 'down'] as const) t.equal(await call(verdict), verdict)
  t.same(breaker.state, { open: false, failures: 1, retryInMs: null })
  t.equal(await call('unknown'), 'unknown')
  t.equal(breaker.state.failures, 1, 'nothing is learnt of a call for which nobody waited')
  t.equal(await call('down'), 'down')
  t.same(breaker.state, { open: true, failures: 2, retryInMs: 100 })
  t.equal(await call('answer'), 'refused')
})

t.test('when the time is up one call is let through, and no other until it ends', async t => {
  const { breaker, call, pass } = make()
  await call('down')
  await call('down')
  pass(99)
  t.equal(await call('answer'), 'refused')
  pass(1)
  t.same(breaker.state, { open: true, failures: 2, retryInMs: 0 })
  let end = () => {}
  const gate = new Promise<void>(resolve => {
    end = resolve
  })
  const first = call('down', gate)
  t.equal(await call('answer'), 'refused', 'it is on its way')
  end()
  t.equal(await first, 'down')
  t.same(breaker.state, { open: true, failures: 3, retryInMs: 100 }, 'for the same time once more')
  pass(100)
  t.equal(await call('unknown'), 'unknown')
  t.equal(await call('answer'), 'answer', 'one that nobody waited for leaves the next its try')
  t.same(breaker.state, { open: false, failures: 0, retryInMs: null })
})

t.test('an answer that was under way closes it', async t => {
  const { breaker, call } = make()
  let end = () => {}
  const slow = call('answer', new Promise<void>(resolve => (end = resolve)))
  await call('down')
  await call('down')
  t.ok(breaker.state.open)
  end()
  await slow
  t.notOk(breaker.state.open)
})

t.test('check throws what a call would, and changes nothing', async t => {
  const { breaker, call, pass } = make(1)
  breaker.check()
  await call('down')
  t.throws(() => breaker.check(), { name: 'BreakerOpen', state: { retryInMs: 100, failures: 1 } })
  pass(100)
  breaker.check()
  breaker.check()
  t.equal(await call('answer'), 'answer')
})

t.test('0 never opens', async t => {
  const { breaker, call } = make(0)
  for (let i = 0; i < 20; i++) t.equal(await call('down'), 'down')
  t.notOk(breaker.state.open)
})
