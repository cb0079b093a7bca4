import t from 'tap'
import { bounded, OverBounds } from '../../fuzz/bounded.js'
import type { Target } from '../../fuzz/target.js'

const base = { isSync: true, maxLength: 100, maxMs: 20 }
const target = (run: Target['run'], more: Partial<Target> = {}): Target => ({ ...base, run, ...more })

/** Takes CPU time. */
function spin(ms: number): void {
  const start = process.cpuUsage()
  for (let used = 0; used < ms * 1000; ) {
    const { user, system } = process.cpuUsage(start)
    used = user + system
  }
}

t.test('what a target throws, at once or later', async t => {
  t.throws(
    () =>
      bounded(
        target(() => {
          throw new TypeError('x')
        }),
        Buffer.from('a'),
      ),
    TypeError,
  )
  await t.rejects(
    async () =>
      bounded(
        target(async () => {
          throw new TypeError('x')
        }),
        Buffer.from('a'),
      ),
    TypeError,
  )
})

t.test('an input that takes too long each time is found, and one that does so once is not', async t => {
  const slow = () => spin(40)
  t.throws(() => bounded(target(slow), Buffer.from('a')), OverBounds)
  await t.rejects(
    async () =>
      bounded(
        target(async () => slow()),
        Buffer.from('a'),
      ),
    {
      name: 'OverBounds',
      message: /^took \d+ ms of CPU time; at most 20 are allowed$/,
    },
  )
  let calls = 0
  const once = () => {
    if (calls++ === 0) slow()
  }
  t.doesNotThrow(() => bounded(target(once), Buffer.from('a')))
  t.equal(calls, 4, 'tried three times more')
  calls = 0
  await t.resolves(async () =>
    bounded(
      target(async () => once()),
      Buffer.from('a'),
    ),
  )
  t.equal(calls, 4)
})

t.test('memory', async t => {
  const kept: Buffer[] = []
  const hungry = target(() => {
    kept.push(Buffer.alloc(400 * 2 ** 20, 1))
  })
  t.throws(() => bounded({ ...hungry, maxMs: 60_000 }, Buffer.from('a')), { message: /^took \d+ MiB of memory/ })
})

t.test("the target may write into its input, which is not the fuzzer's own", async t => {
  const input = Buffer.from('abc')
  bounded(
    target(bytes => {
      bytes.fill(0)
    }),
    input,
  )
  t.equal(input.toString(), 'abc')
})
