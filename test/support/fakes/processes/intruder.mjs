/**
 * An engine process that a stranger has taken over: a job's question says what it tries, in JavaScript, in libvips, in ONNX
 * Runtime or in a program that it starts, and the answer says "done" or why it could not be done. "as" is what it is.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { InferenceSession } from 'onnxruntime-node'
import sharp from 'sharp'

process.on('SIGTERM', () => {})
process.on('disconnect', () => process.exit(0))
process.on('message', request => {
  if (request.type === 'start') process.send({ type: 'ready', info: info(), longestRunMs: 0 })
  else if (request.type === 'stop') process.exit(0)
  else if (request.type === 'ping') process.send({ type: 'pong', memory: { heap: 2e6, external: 1e6 } })
  else for (const { id, job } of request.jobs ?? []) void answer(id, job.questions[0].split(' '))
})

const ATTEMPTS = {
  write: path => writeFileSync(path, 'x'),
  libvips: path =>
    sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
      .png()
      .toFile(path),
  onnxruntime: (path, graph) => InferenceSession.create(graph, { optimizedModelFilePath: path, logSeverityLevel: 4 }),
  program: path => execFileSync('sh', ['-c', 'echo x > "$0"', path], { stdio: 'pipe' }),
  connect: port =>
    new Promise((resolve, reject) => connect(Number(port), '127.0.0.1').on('connect', resolve).on('error', reject)),
  kill: pid => process.kill(Number(pid), 0),
  die: signal => process.kill(process.pid, signal),
  leave: code => process.exit(Number(code)),
  as: () => ({
    pid: process.pid,
    networks: Object.keys(networkInterfaces()),
    temporary: tmpdir(),
    status: Object.fromEntries(
      [...readFileSync('/proc/self/status', 'utf8').matchAll(/^(CapEff|NoNewPrivs):\s*(\w+)$/gm)].map(m => m.slice(1)),
    ),
    secret: process.env.A_SECRET_KEY ?? null,
  }),
  sees: path => existsSync(path),
}

async function answer(id, [name, ...args]) {
  const told = await Promise.resolve()
    .then(() => ATTEMPTS[name](...args))
    .then(
      value => (name === 'as' || name === 'sees' ? JSON.stringify(value) : 'done'),
      error => `${error.code ?? ''} ${error.message}`,
    )
  const cost = { generatedTokens: 0, runs: 0, nonGreedyTokens: 0, batch: 1, reused: false }
  const box = { box: [0, 0, 50, 50], decision: 'zoomed', reason: null, confidence: 0.5, raw: told, cost }
  const model = { id: 'intruder', resolution: 128, tiles: 1 }
  const timings = { queue: 0, decode: 1, preprocess: 1, vision: 1, prefill: 1, generate: 1, crop: 0 }
  process.send({
    type: 'result',
    id,
    result: { kind: 'locate', boxes: [box], image: { width: 9, height: 9 }, model, timings },
  })
}

function info() {
  return { models: [], executionProvider: 'cpu', executionProviderReason: 'none', pid: process.pid }
}
