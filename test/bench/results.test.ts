import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { earlierOr, emptyResults, readResults, writeResults } from '../../bench/results.js'
import { ABOUT, MACHINE, measured } from './measured.js'

t.test('parts that are left out keep what the same machine measured before', async t => {
  const folder = mkdtempSync(`${t.testdir()}/`)
  t.equal((await earlierOr(emptyResults(ABOUT), folder)).rows.length, 0)
  await writeResults(measured(), folder)
  const now = { ...emptyResults({ ...ABOUT, revision: 'fffffff' }) }
  t.match(await earlierOr(now, folder), { revision: 'fffffff', rows: measured().rows, load: measured().load })
  writeFileSync(join(folder, 'results.json'), JSON.stringify({ ...measured(), format: 1 }))
  t.equal(await readResults(folder), null, 'of another version')
  t.equal((await earlierOr(now, folder)).rows.length, 0)
  await writeResults(measured(), folder)
  const elsewhere = emptyResults({ ...ABOUT, machine: { ...MACHINE, cores: 64 } })
  t.equal((await earlierOr(elsewhere, folder)).rows.length, 0, 'never mixed with another machine')
  t.equal((await earlierOr(emptyResults({ ...ABOUT, device: 'cuda' }), folder)).rows.length, 0)
})
