import { mkdirSync, readdirSync, utimesSync } from 'node:fs'
import { hostname } from 'node:os'
import t from 'tap'
import { removeAbandoned, scratchFolder } from '../../../../src/vlm/onnx/optimised/scratch.js'

const ENTRY = `${'0a'.repeat(32)}-1.30.0-0123456789ab`
/** No process has this number. */
const NOBODY = 2 ** 22 + 1

t.test('what ended processes left behind is removed, and nothing else', async t => {
  const dir = t.testdir()
  const made = await scratchFolder(`${dir}/${ENTRY}`)
  const names = {
    own: made.slice(dir.length + 1),
    dead: `${ENTRY}.${NOBODY}@${hostname()}.abcDEF`,
    alive: `${ENTRY}.${process.ppid}@${hostname()}.abcDEF`,
    elsewhere: `${ENTRY}.${NOBODY}@elsewhere.example.org.abcDEF`,
    elsewhereOld: `${ENTRY}.${NOBODY}@elsewhere.abcDEF`,
    unnamedOld: `${ENTRY}.abcDEF`,
    entry: ENTRY,
    other: 'notes.txt',
  }
  t.equal(names.own.slice(0, -6), `${ENTRY}.${process.pid}@${hostname()}.`)
  for (const name of Object.values(names)) mkdirSync(`${dir}/${name}`, { recursive: true })
  const old = new Date(Date.now() - 2 * 3_600_000)
  for (const name of [names.elsewhereOld, names.unnamedOld, names.entry, names.other])
    utimesSync(`${dir}/${name}`, old, old)
  await removeAbandoned(dir)
  // a process of the same number that makes none yet was there before: so is its folder
  t.same(readdirSync(dir).sort(), [names.alive, names.elsewhere, names.entry, names.other].sort())
  await removeAbandoned(`${dir}/absent`)
})
