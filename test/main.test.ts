import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { engineEnvironment } from '../src/engine/parent/process/environment.js'
import { compiledService } from './support/compiled.js'
import { completion, upstream } from './support/fakes/upstream.js'
import { noise } from './support/scripted.js'
import { postCrop, startServer } from './support/server.js'

t.setTimeout(240_000)
// tests that mostly wait for processes to start run side by side
t.jobs = 3
const waiting = { buffered: true }

const service = compiledService()

const image = new Uint8Array(await noise(1200, 900))

t.test('starts, says which provider and how to try it, answers, and loses one request to a kill -9', async t => {
  const server = startServer(t, service)
  const url = String((await server.line('ready; try')).url)
  t.match(await server.line('ready; try'), {
    executionProvider: 'cpu',
    reason: /cpu/,
    models: [
      { id: 'tiny', role: 'cropper', precision: 'fp32', reason: "the folder's own" },
      { id: 'tiny', role: 'target', precision: 'fp32' },
    ],
    msg: /curl .* http:\/\/127.0.0.1:\d+/,
  })
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  t.match(await postCrop(url, image), {
    status: 200,
    body: { decision: 'fallback', reason: 'not_a_cropper', image: { width: 1200, height: 900 } },
  })

  const load = Promise.all(Array.from({ length: 12 }, () => postCrop(url, image)))
  const { engine, preload } = await server.line('engine process started')
  t.equal(preload, engineEnvironment(process.env).LD_PRELOAD || null, 'its allocator')
  // the requests are uploaded and the first of them at work
  while (!/cropvlm_queue_size [1-9]/.test(await (await fetch(`${url}/metrics`)).text()));
  process.kill(Number(engine), 'SIGKILL')
  const statuses = (await load).map(({ status }) => status).sort()
  t.same(statuses, [...Array(11).fill(200), 503])
  t.equal((await postCrop(url, image)).status, 200)
  t.match(await (await fetch(`${url}/metrics`)).text(), /cropvlm_engine_restarts_total 1/)

  // as browsers and load balancers keep one ready: the server must not wait for a request on it
  const spare = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => spare.destroy())
  const inFlight = Promise.all(Array.from({ length: 6 }, () => postCrop(url, image)))
  while (!/cropvlm_queue_size [1-9]/.test(await (await fetch(`${url}/metrics`)).text()));
  server.process.kill('SIGTERM')
  await server.line('SIGTERM')
  // what arrives with the signal is still answered, and on a busy machine that may be the first of these
  let refused: { status: number | string }
  do refused = await postCrop(url, image).catch(() => ({ status: 'closed' }))
  while (refused.status === 200)
  t.ok(refused.status === 503 || refused.status === 'closed', 'new requests are refused')
  for (const { status } of await inFlight) t.equal(status, 200)
  t.equal(await server.exit, 0)
  t.notOk(server.lines.some(({ level }) => Number(level) >= 60))
})

t.test('answers probes while the models load, and a second signal ends it at once', waiting, async t => {
  const server = startServer(t, service, { SHUTDOWN_GRACE_MS: '3600000' })
  const { msg } = await server.line('Server listening at')
  const url = String(msg).replace('Server listening at ', '')
  t.equal((await fetch(`${url}/health/live`)).status, 200)
  t.ok([200, 503].includes((await fetch(`${url}/health/ready`)).status))
  server.process.kill('SIGTERM')
  await server.line('SIGTERM')
  server.process.kill('SIGINT')
  t.ok([0, 1].includes(Number(await server.exit)))
})

t.test('the engine process does not outlive the server, however that ends', waiting, async t => {
  const server = startServer(t, service)
  const { engine } = await server.line('engine process started')
  server.process.kill('SIGKILL')
  await server.exit
  const alive = () => {
    try {
      return process.kill(Number(engine), 0)
    } catch {
      return false
    }
  }
  while (alive()) await new Promise(resolve => setTimeout(resolve, 20))
  t.notOk(alive())
})

t.test('TARGET_WARMUP: endpoints are asked at start, and keep nothing from being ready', waiting, async t => {
  const slow = await upstream(t, () => {})
  const quick = await upstream(t, completion('Blue.'))
  const TARGETS = JSON.stringify([
    { name: 'slow', base_url: slow.baseUrl, model: 'm' },
    { name: 'quick', base_url: quick.baseUrl, model: 'm' },
  ])
  const server = startServer(t, service, { TARGETS, TARGET_WARMUP: 'on', LOCAL_TARGET_MODEL: '' })
  const url = String((await server.line('ready; try')).url)
  t.equal((await fetch(`${url}/health/ready`)).status, 200)
  t.match(await server.line('is warm'), { target: 'quick', level: 30 })
  t.same([slow.received.length, quick.received.length], [1, 1])
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0, 'nor from stopping')
})

t.test('start-up failures: exit code 1 and one line that tells what to do', waiting, async t => {
  const taken = createServer().listen(0, '127.0.0.1')
  t.teardown(() => taken.close())
  await new Promise(resolve => taken.once('listening', resolve))
  const port = String((taken.address() as { port: number }).port)
  const failures: [env: Record<string, string>, message: RegExp][] = [
    [{ PORT: 'http' }, /PORT is "http"; set it to a whole number/],
    [{ PORT: port }, new RegExp(`port ${port} of 127.0.0.1 is taken`)],
    [{ CROPPER_MODEL: resolve('/nowhere') }, /\/nowhere/],
  ]
  const started = failures.map(([env, message]) => ({ server: startServer(t, service, env), message }))
  for (const { server, message } of started) {
    t.equal(await server.exit, 1)
    const fatal = server.lines.filter(({ level }) => level === 60)
    t.match(fatal, [{ msg: message }])
  }
})

t.test('too few open files for its modules: one line that says what to do', waiting, async t => {
  // tap has every process of Node load modules of its own, which would be too many
  const child = spawn(
    'sh',
    ['-c', 'unset NODE_OPTIONS; ulimit -n 40; exec "$0" "$1"', process.execPath, join(service, 'main.js')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  t.equal(code, 1)
  const [line = '', ...others] = output.split('\n')
  t.match(JSON.parse(line), {
    level: 60,
    code: 'invalid_config',
    msg: 'only 40 files may be open at once, and the service needs 256; raise the limit (ulimit -n)',
  })
  t.same(others, [''])
})
