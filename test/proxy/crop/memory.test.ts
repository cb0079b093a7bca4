import t from 'tap'
import { CropMemory, memoryKey } from '../../../src/proxy/crop/memory.js'
import type { Crop } from '../../../src/proxy/crop/outcome.js'

const crop = (bytes: number): Crop => ({
  decision: 'zoomed',
  box: [0, 0, 1, 1],
  pixelBox: [0, 0, 1, 1],
  picture: { mediaType: 'image/png', width: 1, height: 1, bytes: new Uint8Array(bytes) },
})

t.test('it is bounded in bytes; what was used longest ago goes first', async t => {
  const memory = new CropMemory(10_000)
  memory.set('a', crop(3000))
  memory.set('b', crop(3000))
  memory.get('a')
  memory.set('c', crop(3000))
  t.ok(memory.get('a') && memory.get('c'))
  t.equal(memory.get('b'), undefined)
  memory.set('d', crop(20_000))
  t.equal(memory.get('d'), undefined, 'one that is larger than all is not kept')
  memory.set('e', { decision: 'skipped', reason: 'sees_all' })
  t.match(memory.get('e'), { reason: 'sees_all' })
  t.ok(memory.bytes <= 10_000)
})

t.test('0 bytes remember nothing', async t => {
  const memory = new CropMemory(0)
  memory.set('a', crop(1))
  t.equal(memory.get('a'), undefined)
})

t.test('the key is of the bytes and of all that belongs to them', async t => {
  const key = memoryKey(Buffer.from('image'), ['question', 1])
  t.equal(key, memoryKey(new Uint8Array(Buffer.from('image')), ['question', 1]))
  const others = [
    memoryKey(Buffer.from('images'), ['question', 1]),
    memoryKey(Buffer.from('image'), ['question', 2]),
    memoryKey(Buffer.from('image'), ['question1']),
  ]
  t.notOk(others.includes(key))
})
