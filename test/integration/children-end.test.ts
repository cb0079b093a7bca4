/**
 * The service, its engine process and the process that optimises graphs, on a folder whose graph takes that one many seconds:
 * whichever is ended, no process and no unfinished folder stays.
 */
import { cpSync, readdirSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { compiledService } from '../support/compiled.js'
import { MODELS } from '../support/goldens.js'
import { graph, int64s, model, node, value } from '../support/onnx/protobuf.js'
import { gone, processesWith } from '../support/processes.js'
import { startServer } from '../support/server.js'

const skip = process.platform === 'linux' ? false : 'Linux alone tells'
t.setTimeout(240_000)
t.jobs = 4

const service = compiledService()
const NODES = 45_000

/** Nodes in a row: within the limits, and slow to optimise. */
const slow = () =>
  model(
    graph({
      inputs: [value('x')],
      outputs: [value('y')],
      nodes: Array.from({ length: NODES }, (_, i) =>
        node('Neg', [i === 0 ? 'x' : `${i}`], [i === NODES - 1 ? 'y' : `${i + 1}`]),
      ),
    }),
  )

/** 480 MB of zeros, which are made as soon as the graph is opened. */
const large = () => {
  const names = ['y', 'y1', 'y2', 'y3']
  return model(
    graph({
      initializers: [int64s('shape', [30_000_000])],
      outputs: names.map(name => value(name)),
      nodes: names.map(name => node('ConstantOfShape', ['shape'], [name])),
    }),
  )
}

function folder(t: Test, bytes: Buffer) {
  const dir = t.testdir()
  cpSync(`${MODELS}tiny-hub`, `${dir}/model`, { recursive: true })
  writeFileSync(`${dir}/model/onnx/vision_encoder.onnx`, bytes)
  return { dir, vision: `${dir}/model/onnx/vision_encoder.onnx`, cache: `${dir}/cache` }
}

const bytes = slow()
for (const [name, signal, whom] of [
  ['SIGTERM of the service', 'SIGTERM', 'service'],
  ['SIGKILL of the service', 'SIGKILL', 'service'],
  ['SIGKILL of the engine process', 'SIGKILL', 'engine'],
] as const)
  t.test(`${name} while a graph is optimised`, { skip, buffered: true }, async t => {
    const { dir, cache } = folder(t, bytes)
    const env = { CROPPER_MODEL: `${dir}/model`, LOCAL_TARGET_MODEL: '', GRAPH_CACHE_DIR: cache, PORT: '0' }
    const server = startServer(t, service, env)
    const { engine } = (await server.line('engine process started')) as { engine: number }
    // the folder that it is to fill stands in its arguments
    const writer = await until(() => processesWith(`${cache}/`)[0])
    if (whom === 'engine') process.kill(engine, signal)
    else server.process.kill(signal)
    await server.exit
    await Promise.all([gone(engine), gone(writer)])
    t.same(
      readdirSync(cache).filter(name => name.includes('@')),
      [],
    )
  })

t.test('a graph that takes more memory than it may: the start fails and says so', { skip, buffered: true }, async t => {
  const { dir, cache, vision } = folder(t, large())
  const env = { CROPPER_MODEL: `${dir}/model`, LOCAL_TARGET_MODEL: '', MODEL_MEMORY_LIMIT: String(300 * 2 ** 20) }
  const [writing, opening] = [
    startServer(t, service, { ...env, GRAPH_CACHE_DIR: cache }),
    startServer(t, service, { ...env, GRAPH_CACHE_DIR: 'off' }),
  ]
  const fatal = async (server: typeof writing) => {
    t.equal(await server.exit, 1)
    return server.lines.filter(({ level }) => level === 60)
  }
  t.match(await fatal(writing), [
    {
      code: 'engine_unavailable',
      msg: new RegExp(`optimises ${vision} .* took \\d+ MiB of memory, more than MODEL_MEMORY_LIMIT \\(300 MiB\\)`),
    },
  ])
  t.same(readdirSync(cache), [])
  t.match(await fatal(opening), [
    {
      code: 'engine_unavailable',
      msg: new RegExp(`MODEL_MEMORY_LIMIT \\(300 MiB\\), and was killed while it was opening ${vision}\\. Raise`),
    },
  ])
})

async function until<T>(find: () => T | undefined): Promise<T> {
  for (;;) {
    const found = find()
    if (found !== undefined) return found
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
