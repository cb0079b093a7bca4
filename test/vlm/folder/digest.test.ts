import { createHash } from 'node:crypto'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { digest } from '../../../src/vlm/folder/digest.js'

const GRAPHS = new URL('../../fixtures/graphs/', import.meta.url).pathname
const sha256 = (file: string) => createHash('sha256').update(readFileSync(file)).digest('hex')
/** An entry of a tensor's `external_data`, as protobuf writes it. */
const location = (name: string) => `\x0a\x08location\x12${String.fromCharCode(name.length)}${name}`

t.test('the hash, and where the weights are', async t => {
  for (const [name, locations] of [
    ['apart', ['apart.bin']],
    ['int8', []],
  ] as const)
    t.same(await digest(`${GRAPHS}${name}.onnx`), { sha256: sha256(`${GRAPHS}${name}.onnx`), locations })
})

t.test('a name is found wherever it stands, also across the border between two pieces that are read', async t => {
  const file = `${t.testdir()}/graph.onnx`
  for (const at of [0, 100, 2 ** 18 - 30, 2 ** 18 - 12, 2 ** 18 - 1, 2 ** 18, 2 ** 20 - 5]) {
    writeFileSync(file, `${'-'.repeat(at)}${location('w.bin')}${location('v.bin')}${location('w.bin')}`, 'latin1')
    t.same((await digest(file)).locations, ['v.bin', 'w.bin'], `at ${at}`)
  }
})

t.test('a file is read again once it has changed', async t => {
  const file = `${t.testdir()}/file`
  writeFileSync(file, 'one')
  const first = await digest(file)
  t.equal(await digest(file), first, 'the very same answer')
  writeFileSync(file, 'two')
  utimesSync(file, 1, 1)
  t.equal((await digest(file)).sha256, sha256(file))
  await t.rejects(digest(`${file}.absent`), { code: 'ENOENT' })
})
