/** The service inside another program: the package's own door, with the real engine and the tiny model. */
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { pino } from 'pino'
import t from 'tap'
import { CropVlmClient, createService } from '../src/index.js'
import { compiledService } from './support/compiled.js'
import { noise } from './support/scripted.js'

t.setTimeout(120_000)

const env = { CROPPER_MODEL: 'test/fixtures/models/tiny-box', LOCAL_TARGET_MODEL: 'test/fixtures/models/tiny' }
const log = pino({ level: 'silent' })

t.test('answers without a port, over one, and ends', async t => {
  const service = await createService({ env: { ...env, PORT: '0' }, log })
  t.teardown(() => service.close())
  t.match(await service.ready, { models: [{ role: 'cropper' }, { role: 'target' }] })
  const image = new Uint8Array(await noise(120, 90))
  const question = 'What is the total?'
  const inside = await new CropVlmClient({ fetch: service.fetch }).answer({ image, question, compare: true })
  t.match(inside, { image: { width: 120, height: 90 }, answer: String, compare: { answer: String } })
  const baseUrl = await service.listen()
  const { bbox, raw } = await new CropVlmClient({ baseUrl }).crop({ image, question })
  t.same([bbox, raw], [inside.bbox, inside.raw])
  const client = new CropVlmClient({ fetch: service.fetch })
  const huge = new Uint8Array(service.config.maxBodyBytes + 1)
  t.match(await t.rejects(client.crop({ image: huge, question })), { status: 413, code: 'body_too_large' })
  t.match(await t.rejects(client.crop({ image: 'QQ!', question })), { status: 400, param: 'image', requestId: /-/ })
  t.equal((await service.fetch('/nothing')).status, 404)
  const stop = new AbortController()
  const stopped = client.crop({ image, question: 'Another one?' }, { signal: stop.signal })
  setImmediate(() => stop.abort())
  t.match(await t.rejects(stopped), { code: 'aborted' })
  await Promise.all([service.close(), service.close()])
  t.equal(service.engine.state, 'stopped')
})

t.test('a misspelt variable is warned of, once', async t => {
  const lines: string[] = []
  const noted = pino({ level: 'warn' }, { write: line => lines.push(JSON.parse(line).msg) })
  const service = await createService({ env: { ...env, TARGET_URL: 'x' }, log: noted, warmUp: false })
  await service.close()
  t.same(lines, ['TARGET_URL is set, but nothing reads it; did you mean TARGET_BASE_URL?'])
})

t.test('a model folder that is not there is named', async t => {
  await t.rejects(createService({ env: { ...env, CROPPER_MODEL: '/nowhere' }, log }), {
    code: 'invalid_config',
    message: /^There is no model folder \/nowhere; /,
  })
})

t.test('what is wrong with the variables is thrown, all of it', async t => {
  const error = await t.rejects(async () => createService({ env: { PORT: 'x', QUEUE_SIZE: '-1' }, log }))
  t.match(error, { code: 'invalid_config', message: /PORT[\s\S]*QUEUE_SIZE/ })
})

t.test('a log is written where it is asked for', async t => {
  const stream = new PassThrough()
  const service = await createService({ env: { ...env, PORT: '0' }, log: pino({ level: 'info' }, stream) })
  const line = once(stream, 'data')
  await service.ready
  t.match(JSON.parse(String(await line).split('\n')[0] ?? ''), { level: 30, msg: String })
  await service.close()
})

/** Two services at once; what the process has besides them afterwards is told on stdout. */
const PROGRAM = `
const events = ['SIGINT', 'SIGTERM', 'SIGHUP', 'uncaughtException', 'unhandledRejection']
const listeners = () => events.map(name => process.listenerCount(name)).join()
const before = [JSON.stringify(process.env), listeners(), process.cwd()]
const { createService, CropVlmClient } = await import(process.env.INDEX)
const env = JSON.parse(process.env.SETTINGS)
const services = await Promise.all([createService({ env }), createService({ env })])
const image = Buffer.from(process.env.IMAGE, 'base64')
const replies = await Promise.all(services.map(async service => {
  await service.ready
  const reply = await new CropVlmClient({ fetch: service.fetch }).crop({ image, question: 'What is the total?' })
  return reply.bbox.join()
}))
await Promise.all(services.map(service => service.close()))
const after = [JSON.stringify(process.env), listeners(), process.cwd()]
console.log(JSON.stringify({ same: replies[0] === replies[1], changed: before.filter((text, i) => text !== after[i]) }))
`

t.test('a program that has two services is left as it was, and ends by itself', async t => {
  const given = {
    ...process.env,
    INDEX: `${compiledService()}/index.js`,
    SETTINGS: JSON.stringify(env),
    IMAGE: (await noise(120, 90)).toString('base64'),
  }
  // code in place of a file: the engine's processes must not run it again
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', PROGRAM], {
    env: { ...given, NODE_OPTIONS: '' },
    encoding: 'utf8',
    timeout: 100_000,
  })
  t.equal(stderr, '')
  t.equal(stdout, '{"same":true,"changed":[]}\n', 'nothing else is written')
  t.equal(status, 0)
})
