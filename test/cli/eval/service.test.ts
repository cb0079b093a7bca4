import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import sharp from 'sharp'
import t from 'tap'
import { evaluation } from '../../../src/cli/commands/eval.js'
import { startService } from '../../../src/cli/eval/service.js'
import { testWorld } from '../../support/cli/world.js'
import { compiledService } from '../../support/compiled.js'
import { ROOT } from '../../support/deploy-files.js'

// not ready at first, told where to listen, ends on SIGTERM
const SLOW_START = `
import { createServer } from 'node:http'
let asked = 0
const server = createServer((request, response) => response.writeHead(asked++ > 1 ? 200 : 503).end(process.env.SECRET))
server.listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => process.exit(0))
`

// starts processes, which takes its time on a busy machine
t.setTimeout(180_000)

t.test('waits until the service is ready, and stops it', async t => {
  const dir = t.testdir({ 'main.mjs': SLOW_START })
  const service = await startService({ ...process.env, SECRET: 'handed on', PORT: '1' }, join(dir, 'main.mjs'))
  const reply = await fetch(`${service.url}/health/ready`)
  t.equal(await reply.text(), 'handed on')
  await service.stop()
  await t.rejects(fetch(service.url), 'it is gone')
  await service.stop()
  const port = Number(new URL(service.url).port)
  const again = createServer().listen(port, '127.0.0.1')
  await once(again, 'listening')
  again.close()
})

t.test('a service that cannot start', async t => {
  const dir = t.testdir({ 'main.mjs': 'process.exit(3)' })
  await t.rejects(startService(process.env, join(dir, 'main.mjs')), {
    exitCode: 1,
    message: /ended while starting \(3\)/,
  })
})

t.test('the real service with tiny random models answers a manifest', async t => {
  const page = sharp({ create: { width: 300, height: 200, channels: 3, background: '#fff' } })
  const line = (id: string) =>
    JSON.stringify({
      id,
      kind: 'blank',
      image: 'page.png',
      question: 'What is it?',
      answers: ['nothing'],
      box: [0, 0, 9, 9],
    })
  const dir = t.testdir({
    'manifest.jsonl': ['a', 'b', 'c'].map(line).join('\n'),
    'page.png': await page.png().toBuffer(),
  })
  const model = join(ROOT, 'test/fixtures/models/tiny')
  const env = {
    ...process.env,
    CROPPER_MODEL: model,
    GRAPH_CACHE_DIR: 'off',
    LOCAL_TARGET_MODEL: model,
    EXECUTION_PROVIDER: 'cpu',
    THREADS: '1',
  }
  // the compiled service, which `npm run eval` starts, is ready sooner than one run from source
  const compiled: typeof import('../../../src/cli/eval/service.js') = await import(
    `${compiledService()}/cli/eval/service.js`
  )
  const { run, out } = testWorld({ env })
  t.equal(await run([evaluation(compiled.startService)], 'eval', '--data', dir, '--concurrency', '2'), 0)
  const report = out()
  t.match(report, /\| blank \| 3 \| 0 \| 0\.0 \| 0\.0 \| \+0\.0 \| 0 \| 0 \|/)
  t.match(report, /\| prefill \| \d/)
})
