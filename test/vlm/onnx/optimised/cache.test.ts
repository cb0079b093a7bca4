import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import type { Session, TensorValue } from '../../../../src/vlm/onnx/session.js'
import { compiledService } from '../../../support/compiled.js'
import { MODELS } from '../../../support/goldens.js'
import { graph, model, node, value } from '../../../support/onnx/protobuf.js'

const GRAPHS = new URL('../../../fixtures/graphs/', import.meta.url).pathname
const DAY_MS = 24 * 3_600_000
// it starts a process for each graph that it keeps
const { openSessions }: typeof import('../../../../src/vlm/onnx/session.js') = await import(
  `${compiledService()}/vlm/onnx/session.js`
)

t.setTimeout(240_000)
// most of the time is spent waiting for these processes: tests run side by side
t.jobs = 4

function cacheIn(dir: string) {
  const lines: { level: string; message: string }[] = []
  return { dir, lines, log: (level: 'info' | 'warn', message: string) => void lines.push({ level, message }) }
}

async function openOne(file: string, cache: ReturnType<typeof cacheIn> | null): Promise<Session> {
  const { sessions } = await openSessions([file], 'cpu', 1, cache)
  const [session] = sessions
  if (!session) throw new Error('no session')
  return session
}

/** What a graph makes of numbers that fit what it declares: 3 rows, tokens or tiles, and room for 8 in a KV cache. */
async function answer(session: Session): Promise<Record<string, TensorValue>> {
  const feeds: Record<string, TensorValue> = {}
  for (const [name, { type, shape }] of session.inputs) {
    const isPast = name.startsWith('past_key_values')
    const free = (at: number) => (at === 0 && shape.length > 2 && !name.startsWith('pixel') ? 1 : isPast ? 8 : 3)
    const dims =
      name === 'attention_mask' || name === 'logit_indices' || name === 'input_ids'
        ? [1, name === 'logit_indices' ? 1 : 3]
        : shape.map((size, at) => (typeof size === 'number' ? size : free(at)))
    const length = dims.reduce((a, b) => a * b, 1)
    const values = { float32: Float32Array, int64: BigInt64Array, uint8: Uint8Array }[type]
    if (!values) throw new Error(`${name} is ${type}`)
    const data = new values(length)
    if (data instanceof BigInt64Array) data.fill(1n)
    else if (!isPast) for (let i = 0; i < length; i++) data[i] = type === 'uint8' ? i % 256 : Math.sin(i)
    feeds[name] = { data, dims }
  }
  return await session.run(feeds)
}

/** The graph as it is, twice from the cache, and the cache's folder. */
async function compare(t: Test, file: string) {
  const plain = await answer(await openOne(file, null))
  const cache = cacheIn(`${t.testdir()}/cache`)
  t.same(await answer(await openOne(file, cache)), plain, 'every bit when it is written')
  const [entry = ''] = readdirSync(cache.dir)
  const { ino } = statSync(`${cache.dir}/${entry}/graph.onnx`)
  t.same(await answer(await openOne(file, cache)), plain, 'every bit when it is there')
  t.same(readdirSync(cache.dir), [entry], 'one entry and nothing else')
  t.equal(statSync(`${cache.dir}/${entry}/graph.onnx`).ino, ino, 'not written again')
  t.match(cache.lines, [{ level: 'info', message: new RegExp(`${file} was optimised .* kept as .*${entry}`) }])
  return { plain, cache, entry: `${cache.dir}/${entry}` }
}

// the longest first
t.test('a damaged entry is made anew, and said', { buffered: true }, async t => {
  const damages: [string, (entry: string) => void][] = [
    ['graph.data has changed', entry => flip(`${entry}/graph.data`, 5000)],
    ['graph.onnx has changed', entry => writeFileSync(`${entry}/graph.onnx`, '')],
    ['graph.data has changed', entry => appendFileSync(`${entry}/graph.data`, '\0')],
    ['graph.data has changed', entry => rmSync(`${entry}/graph.data`)],
    ['ENOENT', entry => rmSync(`${entry}/graph.onnx`)],
    ['seal.json', entry => rmSync(`${entry}/seal.json`)],
    ['JSON', entry => writeFileSync(`${entry}/seal.json`, '{')],
    ['graph.onnx has changed', entry => writeFileSync(`${entry}/seal.json`, '{}')],
  ]
  const file = `${GRAPHS}blocks.onnx`
  const { plain, cache, entry } = await compare(t, file)
  for (const [problem, damage] of damages) {
    damage(entry)
    cache.lines.length = 0
    t.same(await answer(await openOne(file, cache)), plain, problem)
    t.match(cache.lines, [{ level: 'warn', message: new RegExp(`is damaged \\(.*${problem}`) }, { level: 'info' }])
    cache.lines.length = 0
    await openOne(file, cache)
    t.same(cache.lines, [], 'whole again')
  }
})

for (const graph of ['vision_encoder', 'embed_tokens', 'decoder_model_merged'])
  t.test(`${graph} in fp32`, { buffered: true }, async t => {
    const { plain, entry } = await compare(t, `${MODELS}tiny/onnx/${graph}.onnx`)
    const [first] = Object.values(plain)
    t.ok(first && first.data.length > 0 && new Set<number | bigint>(first.data).size > 10, 'real numbers')
    t.ok(statSync(`${entry}/graph.data`).size > 10_000, 'the weights lie beside it')
  })

for (const graph of ['blocks', 'int8', 'apart'])
  t.test(`weights in ${graph}`, { buffered: true }, async t => {
    const { plain, entry } = await compare(t, `${GRAPHS}${graph}.onnx`)
    t.ok(plain.y?.data instanceof Float32Array && plain.y.data.every(Number.isFinite))
    t.match(readFileSync(`${entry}/graph.onnx`, 'latin1'), /prepacked_0/, 'and what the kernel made of them, too')
  })

t.test('weights in a file of their own count', { buffered: true }, async t => {
  const dir = t.testdir()
  cpSync(GRAPHS, dir, { recursive: true })
  const cache = cacheIn(`${dir}/cache`)
  const before = await answer(await openOne(`${dir}/apart.onnx`, cache))
  flip(`${dir}/apart.bin`, 7)
  const after = await answer(await openOne(`${dir}/apart.onnx`, cache))
  t.notSame(after, before)
  t.same(after, await answer(await openOne(`${dir}/apart.onnx`, null)))
  t.equal(readdirSync(cache.dir).length, 2)
})

t.test('a folder that cannot be written: a warning, and the graph as it is', { buffered: true }, async t => {
  const dir = t.testdir({ taken: 'a file' })
  const cache = cacheIn(`${dir}/taken`)
  const file = `${GRAPHS}int8.onnx`
  t.same(await answer(await openOne(file, cache)), await answer(await openOne(file, null)))
  t.match(cache.lines, [{ level: 'warn', message: /int8\.onnx is loaded as it is.*set GRAPH_CACHE_DIR/ }])
  t.equal(cache.lines.length, 1)
})

t.test('what is no graph is told as it is without a cache, and nothing of it stays', { buffered: true }, async t => {
  const dir = t.testdir({ 'noise.onnx': 'no graph at all' })
  const cache = cacheIn(`${dir}/cache`)
  // what passes for a graph until ONNX Runtime looks for its operator
  writeFileSync(`${dir}/odd.onnx`, model(graph({ nodes: [node('NoSuchOperator', [], ['y'])], outputs: [value('y')] })))
  for (const file of ['noise.onnx', 'absent.onnx', 'odd.onnx'])
    await t.rejects(openOne(`${dir}/${file}`, cache), { code: 'invalid_model', message: new RegExp(file) })
  t.same(readdirSync(cache.dir), [])
})

t.test('what nothing has opened for a month goes when something is written', { buffered: true }, async t => {
  const { cache, entry } = await compare(t, `${GRAPHS}blocks.onnx`)
  writeFileSync(`${cache.dir}/notes.txt`, 'not ours')
  const old = new Date(Date.now() - 31 * DAY_MS)
  for (const path of [entry, `${cache.dir}/notes.txt`]) utimesSync(path, old, old)
  await openOne(`${GRAPHS}int8.onnx`, cache)
  t.equal(readdirSync(cache.dir).length, 2)
  t.notOk(readdirSync(cache.dir).some(name => entry.endsWith(name)))
  t.ok(readdirSync(cache.dir).includes('notes.txt'))
})

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  bytes[at] = (bytes[at] ?? 0) ^ 0x55
  writeFileSync(file, bytes)
}
