import t from 'tap'
import { seeded } from '../../../bench/random.js'
import { chosen, KINDS } from '../../../bench/soak/load.js'
import type { Kind } from '../../../bench/soak/requests/kind.js'

t.test('kinds are chosen by their weights', async t => {
  const kind = (name: string, weight: number): Kind => ({
    name,
    weight,
    expect: { statuses: [200] },
    prepare: () => ({ path: '/' }),
  })
  const random = seeded(3)
  const names = Array.from({ length: 4000 }, () => chosen([kind('a', 1), kind('b', 3)], random).name)
  const share = names.filter(name => name === 'b').length / names.length
  t.ok(Math.abs(share - 0.75) < 0.03, `${share}`)
})

t.test('every kind has a name of its own', async t => {
  const names = KINDS.map(({ name }) => name)
  t.equal(new Set(names).size, names.length)
})
