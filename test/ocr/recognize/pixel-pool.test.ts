import t from 'tap'
import { PixelPool } from '../../../src/ocr/recognize/pixel-pool.js'

const MIB = 2 ** 20

t.test('memory that was given back is used again', async t => {
  const pool = new PixelPool()
  const first = pool.take(MIB + 1)
  t.equal(first.byteLength, 2 * MIB)
  pool.give(first)
  t.equal(pool.take(MIB), first)
})

t.test('two at once do not share', async t => {
  const pool = new PixelPool()
  t.not(pool.take(10), pool.take(10))
})

t.test('what is too small makes room for what is large enough', async t => {
  const pool = new PixelPool()
  const small = pool.take(10)
  pool.give(small)
  const large = pool.take(3 * MIB)
  t.equal(large.byteLength, 3 * MIB)
  pool.give(large)
  t.equal(pool.take(10), large)
  t.not(pool.take(10), small, 'it is gone')
})
