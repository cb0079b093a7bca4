import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { alignGraph } from '../../../../src/vlm/onnx/optimised/align.js'
import { saveOptimised } from '../../../../src/vlm/onnx/session.js'
import { MODELS } from '../../../support/goldens.js'

const GRAPHS = new URL('../../../fixtures/graphs/', import.meta.url).pathname

async function saved(t: Test, file: string) {
  const dir = t.testdir()
  const paths = { graph: `${dir}/graph.onnx`, data: `${dir}/graph.data`, target: `${dir}/aligned.data` }
  await saveOptimised(file, paths.graph, 'graph.data')
  return paths
}

/** Where the graph says that its weights lie, as `offset,length`, each with the bytes there. */
function stretches(graph: string, data: string): { offset: number; bytes: Buffer }[] {
  const text = readFileSync(graph, 'latin1')
  const bytes = readFileSync(data)
  const weights = [...text.matchAll(/offset..(\d+).{0,6}?length..(\d+)/gs)]
  const packed = [...text.matchAll(/\|(\d+);(\d+);0/g)]
  return [...weights, ...packed].map(([, offset, length]) => ({
    offset: Number(offset),
    bytes: bytes.subarray(Number(offset), Number(offset) + Number(length)),
  }))
}

t.test('all is moved to aligned places, and is what it was', async t => {
  const { graph, data, target } = await saved(t, `${GRAPHS}blocks.onnx`)
  const before = stretches(graph, data)
  t.ok(before.length >= 6, `${before.length} stretches`)
  t.ok(before.some(({ offset }) => offset % 64 !== 0))
  t.equal(await alignGraph(graph, data, target), true)
  const after = stretches(graph, target)
  t.ok(after.every(({ offset }) => offset % 64 === 0))
  t.equal(after.length, before.length)
  for (const [i, { bytes }] of after.entries()) t.ok(bytes.equals(before[i]?.bytes ?? Buffer.alloc(0)), `stretch ${i}`)
  t.equal(await alignGraph(graph, target, data), false, 'nothing is left to do')
})

t.test('what is aligned is left alone', async t => {
  const { graph, data, target } = await saved(t, `${MODELS}tiny/onnx/embed_tokens.onnx`)
  const before = readFileSync(graph)
  t.equal(await alignGraph(graph, data, target), false)
  t.ok(readFileSync(graph).equals(before))
  t.notOk(existsSync(target))
})

// found by `npm run fuzz`: NaN came as far as the copying
t.test('a graph whose places are no numbers is an error', async t => {
  const { graph, data, target } = await saved(t, `${GRAPHS}blocks.onnx`)
  const text = readFileSync(graph, 'latin1')
  for (const [from, to, shown] of [
    [/(length..)\d/, '$1x', /has "x\d*" where a number of bytes belongs/],
    [/(offset..)\d/, '$1-', /has "-\d*" where a number of bytes belongs/],
    [/\|\d/, '|.', /has "\.\d*" where a number of bytes belongs/],
  ] as const) {
    writeFileSync(graph, Buffer.from(text.replace(from, to), 'latin1'))
    await t.rejects(alignGraph(graph, data, target), { message: shown })
    t.notOk(existsSync(target))
  }
})
