import t from 'tap'
import { CliError, EXIT } from '../../src/cli/command.js'
import { connect } from '../../src/cli/connect.js'
import { testWorld } from '../support/cli/world.js'
import { tinyModel } from '../support/real.js'
import { noise } from '../support/scripted.js'

t.setTimeout(120_000)

t.test('a service in this process, configured by .env as well', async t => {
  const cwd = t.testdir({
    '.env': `CROPPER_MODEL=${tinyModel('tiny-box')}\nCROPPER_MODLE=x\nAPI_KEY=secret\nTHREADS=9`,
  })
  const { world, err } = testWorld({ cwd, env: { GRAPH_CACHE_DIR: 'off', THREADS: '1', EXECUTION_PROVIDER: 'cpu' } })
  const { client, send, url, close } = await connect(undefined, 60_000, world)
  t.equal(url, null)
  t.match(JSON.parse(err()), { level: 40, msg: /^CROPPER_MODLE is set/ })
  const image = new Uint8Array(await noise(60, 40))
  t.match(await client.crop({ image, question: 'What?' }), { decision: 'zoomed', image: { width: 60, height: 40 } })
  t.match(await (await send('/info')).json(), { models: [{ id: 'tiny-box', role: 'cropper' }] })
  await t.rejects(client.crop({ image: new Uint8Array(9), question: 'What?' }), { code: 'unsupported_image_format' })
  t.equal(err(), '', 'the reply tells it, and the log need not')
  await close()
  await t.rejects(client.crop({ image, question: 'What?' }), { code: 'unreachable', message: /closed/ })
})

t.test('what is wrong with the service: said for a person on a terminal', async t => {
  const cwd = t.testdir({ empty: {} })
  const shown: string[] = []
  const stderr = { isTTY: true, write: (text: string | Uint8Array) => shown.push(String(text)) }
  const start = (env: Record<string, string>, signal = new AbortController().signal) =>
    connect(undefined, 1000, testWorld({ cwd, stderr, env, signal }).world)
  await t.rejects(start({ PORT: 'x', TARGET_URL: 'x' }), { name: 'CliError', exitCode: 2, message: /PORT is "x"/ })
  t.same(shown, [], 'warnings wait until the configuration is right')
  await t.rejects(start({ CROPPER_MODEL: `${cwd}/empty`, TARGET_URL: 'x' }), {
    exitCode: 1,
    message: /config\.json: the file is missing/,
  })
  t.same(shown, ['warning: TARGET_URL is set, but nothing reads it; did you mean TARGET_BASE_URL?\n'])
  const stopped = AbortSignal.abort(new CliError(EXIT.interrupted, 'Stopped.'))
  await t.rejects(start({ CROPPER_MODEL: tinyModel('tiny-box') }, stopped), { exitCode: 130 } as never)
})

t.test('a running service gets the key', async t => {
  const { world } = testWorld({ env: { API_KEY: 'secret' } })
  await t.rejects(connect('localhost:8080', 1000, world), { exitCode: 2, message: /--url is "localhost:8080"/ })
  const connection = await connect('http://127.0.0.1:9//', 1000, world)
  t.equal(connection.url, 'http://127.0.0.1:9')
  await t.rejects(connection.client.info(), { code: 'unreachable', message: /No service answers at/ })
  await connection.close()
})
