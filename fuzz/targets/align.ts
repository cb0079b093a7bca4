/** A saved graph and its data file: afterwards all is aligned, and every weight is what it was. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { alignGraph } from '../../src/vlm/onnx/optimised/align.js'
import type { Target } from '../target.js'

// in memory where that is to be had: everything is synced
const dir = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'cropvlm-fuzz-align-'))
process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
const [graph, data, copy] = [join(dir, 'graph.onnx'), join(dir, 'graph.data'), join(dir, 'copy.data')]
const DATA = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 197) & 255))

export const target: Target = {
  isSync: false,
  maxLength: 2048,
  maxMs: 500,
  async run(model) {
    writeFileSync(graph, model)
    writeFileSync(data, DATA)
    rmSync(copy, { force: true })
    const moved = await alignGraph(graph, data, copy).catch(refused)
    if (moved === null) return
    const after = readFileSync(graph)
    if (!moved) {
      assert.ok(after.equals(model), 'the graph has changed')
      return
    }
    // it may end where the last weight does, which is no more than one page for each
    const written = readFileSync(copy)
    assert.ok(written.length <= model.length * 4096)
    assert.equal(await alignGraph(graph, copy, `${data}.again`), false, 'something is not aligned yet')
  },
}

/** Of a graph that ONNX Runtime has not written, an Error with words of ours; the writer's process then tells them. */
function refused(error: unknown): null {
  if (error instanceof Error && error.constructor === Error) return null
  throw error
}
