import t from 'tap'
import { Semaphore } from '../../src/openai/semaphore.js'

const never = new AbortController().signal

t.test('runs so many at once, in order, and goes on after a failure', async t => {
  const slots = new Semaphore(2)
  const order: number[] = []
  const gates: (() => void)[] = []
  const call = (id: number) => async () => {
    order.push(id)
    await new Promise<void>(resolve => gates.push(resolve))
    if (id === 1) throw new Error('one')
    return id
  }
  const results = Promise.allSettled([1, 2, 3, 4].map(id => slots.run(never, call(id))))
  await new Promise(setImmediate)
  t.strictSame(order, [1, 2])
  gates[0]?.()
  await new Promise(setImmediate)
  t.strictSame(order, [1, 2, 3])
  gates[1]?.()
  await new Promise(setImmediate)
  t.strictSame(order, [1, 2, 3, 4])
  gates[2]?.()
  gates[3]?.()
  t.strictSame(
    (await results).map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
})

t.test('who gives up does not take a turn', async t => {
  const slots = new Semaphore(1)
  let free: () => void = () => {}
  const first = slots.run(never, () => new Promise<void>(resolve => (free = resolve)))
  const client = new AbortController()
  let ran = false
  const second = slots.run(client.signal, async () => (ran = true))
  const third = slots.run(never, async () => 'third')
  client.abort(new Error('gone'))
  await t.rejects(second, { message: 'gone' })
  await t.rejects(
    slots.run(client.signal, async () => (ran = true)),
    { message: 'gone' },
  )
  free()
  await first
  t.equal(await third, 'third')
  t.equal(await slots.run(never, async () => 'fourth'), 'fourth')
  t.notOk(ran)
})
