import t from 'tap'
import { isTooDeep, MAX_LEVELS } from '../../src/contract/nesting.js'

const lists = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`)
const objects = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

t.test('up to the limit, and over it', async t => {
  for (const make of [lists, objects]) {
    t.notOk(isTooDeep(make(MAX_LEVELS)))
    t.ok(isTooDeep(make(MAX_LEVELS + 1)))
    t.ok(isTooDeep(make(1_000_000)), 'without running out of stack')
    t.ok(isTooDeep([1, { a: make(MAX_LEVELS) }]))
  }
  for (const value of [null, 1, 'x', undefined, [], {}]) t.notOk(isTooDeep(value))
})
