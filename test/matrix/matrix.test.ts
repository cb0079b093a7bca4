/**
 * The rows of the fault matrix in their short form, over one service. Times and the growth of memory are measured and
 * shown, never asserted: other tests share the machine. `npm run matrix` asserts them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../../bench/root.js'
import { compiledService } from '../support/compiled.js'
import { COVERED } from './covered.js'
import { PAGE, pageText } from './page.js'
import { ROWS } from './rows.js'
import { Course } from './run.js'
import { Starter } from './world/service.js'

t.setTimeout(600_000)

/** The last row of the table. */
const LAST = 68
/** Rows that neither run here nor have a test: what they need takes minutes or hours. */
const LONG_ALONE = [66]

t.test('every row of the table is there once, and runs here or is covered by a test', async t => {
  t.same(
    ROWS.map(({ number }) => number),
    Array.from({ length: LAST }, (_, i) => i + 1),
  )
  for (const { number, fault, behaviour, isShort } of ROWS) {
    t.ok(fault !== '' && behaviour !== '', `row ${number}`)
    const isCovered = number in COVERED
    if (LONG_ALONE.includes(number)) t.notOk(isCovered || isShort, `row ${number}`)
    else t.not(isCovered, isShort === true, `row ${number} either runs here or is covered`)
  }
})

t.test('the tests that cover a row exist', async t => {
  for (const [number, tests] of Object.entries(COVERED))
    for (const { file, test } of tests) {
      const source = readFileSync(join(ROOT, 'test', file), 'utf8')
      const names = [...source.matchAll(/t\.test\(\s*(['"`])([^\n]*?)\1/g)].map(([, , name = '']) => name)
      t.ok(
        names.some(name => name.startsWith(test)),
        `row ${number}: ${file}: ${test}`,
      )
    }
})

t.test('the page of the documentation has the table as it is', async t => {
  t.equal(readFileSync(join(ROOT, PAGE), 'utf8'), pageText(), 'else: npm run matrix -- --docs')
})

const skip = process.platform !== 'linux' && 'processes are read from /proc'

t.test('the rows', { skip }, async t => {
  const course = new Course('short', new Starter(compiledService(), t.testdir({})))
  t.teardown(() => course.close())
  for (const row of ROWS.filter(({ isShort }) => isShort)) {
    const { verdict, seen, error } = await course.run(row)
    const name = `${row.number}: ${row.fault}`
    if (verdict === 'skip') t.skip(`${name}: ${seen}`, () => {})
    else t.error(error, `${name}: ${seen}`)
  }
})
