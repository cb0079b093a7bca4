/** The check of strangers' ONNX graphs: it lets a graph through, or refuses it as `invalid_model`, whatever the bytes are. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkGraph } from '../../../src/vlm/onnx/check/check.js'
import { orCoded, type Target } from '../../target.js'

/** It reads a file, and what lies beside it. */
const FOLDER = mkdtempSync(join(tmpdir(), 'cropvlm-fuzz-'))
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }))
const GRAPH = join(FOLDER, 'graph.onnx')
writeFileSync(join(FOLDER, 'weights.bin'), Buffer.alloc(64, 1))

export const target: Target = {
  isSync: true,
  maxLength: 4096,
  maxMs: 200,
  words: ['ConstantOfShape', 'Loop', 'If', 'Constant', 'value_ints', 'Slice', 'Reshape', 'Einsum', 'location', 'local'],
  run(bytes) {
    writeFileSync(GRAPH, bytes)
    orCoded(['invalid_model'], () => checkGraph(GRAPH))
  },
}
