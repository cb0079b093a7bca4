import t from 'tap'
import { mutations } from '../../fuzz/mutations.js'

t.test('the same at each run, most unlike the seed, none too long', async t => {
  const seed = Buffer.from('What is the total of the bill?')
  const made = [...mutations(seed, 40, 35)]
  t.same([...mutations(seed, 40, 35)], made)
  t.equal(made.length, 40)
  t.ok(made.filter(bytes => !bytes.equals(seed)).length > 30)
  t.ok(made.every(({ length }) => length <= 35))
  t.ok(made.some(({ length }) => length === 35))
  t.equal(seed.toString(), 'What is the total of the bill?')
  t.equal([...mutations(Buffer.alloc(0), 10, 35)].length, 10, 'of nothing too')
})
