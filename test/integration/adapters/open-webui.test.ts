/** `integrations/open_webui_zoom.py` in Open WebUI's own code, which loads it from its database and calls it. */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ROOT } from '../../support/deploy-files.js'
import { json } from '../../support/fakes/upstream.js'
import { chat, type Messages, startZoom, withCrop } from '../../support/network/zoom-service.js'

t.setTimeout(300_000)

const HERE = join(ROOT, 'test/integration/adapters')
const INSTALLED = join(process.env.CROPVLM_INTEGRATIONS ?? join(homedir(), '.cache/cropvlm/integrations'), 'open-webui')
const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : null)
const skip =
  read(join(INSTALLED, 'made-from.txt')) === read(join(HERE, 'open-webui.txt'))
    ? false
    : 'run sh test/integration/adapters/setup.sh, which takes two minutes and 400 MB'

interface Chat {
  model: string
  messages: Messages
  [field: string]: unknown
}

/** The chats as their models get them, and what Open WebUI logs. */
function run(t: Test, valves: Record<string, unknown>, chats: readonly Chat[]): Promise<{ seen: Chat[]; log: string }> {
  const python = join(INSTALLED, 'bin/python')
  const args = [join(HERE, 'run_filter.py'), join(ROOT, 'integrations/open_webui_zoom.py')]
  const env = { ...process.env, DATA_DIR: t.testdir({}), WEBUI_SECRET_KEY: 'of-this-test' }
  return new Promise((resolve, reject) => {
    const child = execFile(python, args, { env }, (error, stdout, log) =>
      error ? reject(new Error(log)) : resolve({ seen: JSON.parse(stdout), log }),
    )
    child.stdin?.end(JSON.stringify({ valves, chats }))
  })
}

t.test('Open WebUI', { skip }, async t => {
  await t.test('a picture gets its crop, and the rest of the chat stays', async t => {
    const zoom = await startZoom(t)
    const rest = {
      stream: true,
      chat_id: 'c1',
      metadata: { user_id: 'u1' },
      files: [{ id: 'f1' }],
      tools: [{ key: 'k' }],
    }
    const text = { model: 'vlm', messages: [{ role: 'user', content: 'hi' }], ...rest }
    const valves = { cropvlm_url: `${zoom.url}/`, cropvlm_api_key: 'sk-of-cropvlm', zoom: 'always' }
    const { seen, log } = await run(t, valves, [{ ...chat(), ...rest }, text])
    t.strictSame(seen, [{ model: 'vlm', messages: withCrop(), ...rest }, text])
    t.equal(zoom.received.length, 1, 'a chat without pictures is not sent')
    const [{ url, headers, body } = {}] = zoom.received
    t.equal(url, '/zoom')
    t.match(headers, { authorization: 'Bearer sk-of-cropvlm', 'x-cropvlm-zoom': 'always' })
    t.strictSame(body, chat(), 'nothing else of the chat is sent')
    t.notMatch(log, /CropVLM/)
  })

  await t.test('without a key and a mode, none is sent', async t => {
    const zoom = await startZoom(t)
    await run(t, { cropvlm_url: zoom.url }, [chat()])
    t.equal(zoom.received[0]?.headers.authorization, undefined)
    t.equal(zoom.received[0]?.headers['x-cropvlm-zoom'], undefined)
  })

  const failures = [
    ['refuses', json(500, { error: { message: 'What is the total?' } }), /status 500/],
    ['answers what is no chat', json(200, { ok: true }), /KeyError/],
    ['does not answer', () => {}, /TimeoutError/],
    ['is down', null, /ConnectError/],
  ] as const
  for (const [name, reply, says] of failures)
    await t.test(`a service that ${name}: chats go on as they came, and the log tells it once`, async t => {
      const zoom = await startZoom(t)
      if (reply) zoom.fail(reply)
      else await zoom.close()
      const chats = [chat(), chat('And who signed?')]
      const valves = { cropvlm_url: zoom.url, cropvlm_api_key: 'sk-secret', timeout: reply?.length === 0 ? 0.5 : 60 }
      const { seen, log } = await run(t, valves, chats)
      t.strictSame(seen, chats)
      t.equal(log.match(/CropVLM gave no crop/g)?.length, 1, log)
      t.match(log, says)
      t.notMatch(log, /sk-secret|the total/)
    })
})
