/** The table of `npm run mutations` fits the source. Whether the tests fail as it says is run by hand: it takes minutes. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../../support/deploy-files.js'
import { MUTATIONS } from './points.js'

t.test('every point has edits that break it, each at one place of the source, and tests that are there', async t => {
  t.strictSame(
    [...new Set(MUTATIONS.map(({ point }) => point))],
    Array.from({ length: 14 }, (_, i) => i + 1),
  )
  for (const { point, what, file, search, replace, tests } of MUTATIONS) {
    const name = `${point}: ${what}`
    const places = readFileSync(join(ROOT, 'src', file), 'utf8').split(search).length - 1
    t.equal(places, 1, `${name}: ${search}`)
    t.not(search, replace, name)
    t.ok(tests.length > 0, name)
    for (const test of tests) t.ok(existsSync(join(ROOT, 'test', `${test}.test.ts`)), `${name}: ${test}`)
  }
})
