/** Graphs that mean harm are refused before ONNX Runtime sees them; what a real model has is let through. */

import { readdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import t, { type Test } from 'tap'
import { ocrFiles } from '../../../../src/ocr/graphs.js'
import { checkGraph } from '../../../../src/vlm/onnx/check/check.js'
import { MODELS } from '../../../support/goldens.js'
import { HOSTILE } from '../../../support/onnx/hostile.js'

const SOURCES = new URL('../../../../', import.meta.url).pathname

function fileOf(t: Test, bytes: Uint8Array): string {
  const dir = t.testdir({ 'weights.bin': Buffer.alloc(4000) })
  writeFileSync(`${dir}/graph.onnx`, bytes)
  return `${dir}/graph.onnx`
}

for (const [name, { bytes, refusal }] of Object.entries(HOSTILE))
  t.test(name, async t => {
    const file = fileOf(t, bytes())
    const before = process.memoryUsage().rss
    t.throws(() => checkGraph(file), { code: 'invalid_model', message: refusal })
    t.throws(() => checkGraph(file), { message: new RegExp(`^${file} is not loaded.*fetch or export`) })
    const grown = process.memoryUsage().rss - before
    t.ok(grown < 200e6, `${grown} bytes`)
  })

t.test('every real graph that there is here', async t => {
  const folders = [
    ...readdirSync(MODELS).map(name => `${MODELS}${name}/onnx`),
    ...['cropvlm-mini', 'smolvlm-mini'].map(name => `${SOURCES}models/${name}/onnx`),
    `${SOURCES}test/fixtures/graphs`,
    dirname(ocrFiles().detection),
  ]
  const graphs = folders.flatMap(dir =>
    readdirSync(dir)
      .filter(file => file.endsWith('.onnx'))
      .map(file => `${dir}/${file}`),
  )
  t.ok(graphs.length > 20, `${graphs.length} graphs`)
  for (const graph of graphs) checkGraph(graph)
})
