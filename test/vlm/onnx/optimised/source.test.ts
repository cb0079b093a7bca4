import { appendFileSync, cpSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { sourceHash } from '../../../../src/vlm/onnx/optimised/source.js'

const GRAPHS = new URL('../../../fixtures/graphs/', import.meta.url).pathname
/** An entry of a tensor's `external_data`, as protobuf writes it. */
const location = (name: string) => `\x0a\x08location\x12${String.fromCharCode(name.length)}${name}`

t.test('the graph and the files of its weights count, and no others', async t => {
  const dir = t.testdir()
  cpSync(GRAPHS, dir, { recursive: true })
  const graph = `${dir}/apart.onnx`
  const before = await sourceHash(graph)
  t.match(before, /^[0-9a-f]{64}$/)
  writeFileSync(`${dir}/other.bin`, 'not its own')
  t.equal(await sourceHash(graph), before)
  appendFileSync(`${dir}/apart.bin`, '\0')
  const after = await sourceHash(graph)
  t.not(after, before)
  appendFileSync(graph, '\0')
  t.not(await sourceHash(graph), after)
})

t.test('a file that is not there is an error', async t => {
  const dir = t.testdir()
  writeFileSync(`${dir}/graph.onnx`, location('gone.bin'), 'latin1')
  await t.rejects(sourceHash(`${dir}/graph.onnx`), {
    code: 'invalid_model',
    message: /gone\.bin/,
    cause: { code: 'ENOENT' },
  })
  await t.rejects(sourceHash(`${dir}/absent.onnx`), { code: 'ENOENT' })
})
