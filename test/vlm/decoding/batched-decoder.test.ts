import t from 'tap'
import { BatchedDecoder } from '../../../src/vlm/decoding/batched-decoder.js'

/** A step that gives each row's token back as its logits, and remembers what it was given. */
const echo = () => {
  const given: (number | null)[][] = []
  const step = async (tokens: readonly (number | null)[]) => {
    given.push([...tokens])
    return tokens.map(token => Float32Array.of(token ?? -1))
  }
  return { given, step }
}
const values = (rows: Float32Array[]) => rows.map(row => row[0])

t.test('a run waits for all, takes one token of each, and answers who is done', async t => {
  const { given, step } = echo()
  const decoder = new BatchedDecoder(3, step)
  const first = decoder.feed(0, [1, 2])
  const second = decoder.feed(1, [11])
  await new Promise(resolve => setImmediate(resolve))
  t.same(given, [], 'row 2 has not asked yet')
  const third = decoder.feed(2, [21])
  t.same(values(await second), [11])
  t.same(values(await third), [21])
  const [short, long] = [decoder.feed(1, [12]), decoder.feed(2, [22, 23])]
  t.same(values(await first), [1, 2])
  t.same(values(await short), [12])
  decoder.leave(0)
  decoder.leave(1)
  t.same(values(await long), [22, 23])
  t.same(given, [
    [1, 11, 21],
    [2, 12, 22],
    [null, null, 23],
  ])
})

t.test('rows that left are fed nothing and waited for by nobody', async t => {
  const { given, step } = echo()
  const decoder = new BatchedDecoder(3, step)
  decoder.leave(1)
  const waiting = Promise.all([decoder.feed(0, [1]), decoder.feed(2, [3])])
  t.same((await waiting).map(values), [[1], [3]])
  const last = decoder.feed(2, [4, 5])
  decoder.leave(0)
  t.same(values(await last), [4, 5])
  t.same(given, [
    [1, null, 3],
    [null, null, 4],
    [null, null, 5],
  ])
})

t.test('a failed run fails all that wait for it', async t => {
  const decoder = new BatchedDecoder(2, async () => {
    throw new Error('no memory')
  })
  const both = [decoder.feed(0, [1]), decoder.feed(1, [2])]
  for (const one of both) await t.rejects(one, { message: 'no memory' })
})
