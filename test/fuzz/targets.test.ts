/** Every target of `npm run fuzz` on its seeds and on a few mutations of them, so that none is left behind by a change. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { bounded } from '../../fuzz/bounded.js'
import { mutations } from '../../fuzz/mutations.js'
import { FUZZ } from '../../fuzz/root.js'
import { TARGET_NAMES, targetNamed } from '../../fuzz/targets.js'

/** Of each seed. */
const MUTATIONS = 5

for (const name of TARGET_NAMES)
  t.test(name, async t => {
    const target = await targetNamed(name)
    const seeds = readdirSync(`${FUZZ}/seeds/${name}`)
    t.ok(seeds.length >= 4, `${seeds.length} seeds`)
    let inputs = 0
    for (const seed of seeds) {
      const bytes = readFileSync(`${FUZZ}/seeds/${name}/${seed}`)
      for (const input of [bytes, ...mutations(bytes, MUTATIONS, target.maxLength)]) {
        const running = bounded(target, input)
        if (target.isSync !== (running === undefined)) t.fail(`isSync is ${target.isSync}`)
        await running
        inputs++
      }
    }
    t.equal(inputs, seeds.length * (MUTATIONS + 1))
  })

t.test('there is no other folder of seeds', async t => {
  t.same(readdirSync(`${FUZZ}/seeds`).sort(), [...TARGET_NAMES].sort())
  await t.rejects(targetNamed('toString'), { message: /^There is no target toString; there are align, / })
})
