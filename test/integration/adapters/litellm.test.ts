/** `integrations/litellm_zoom.py` in a LiteLLM proxy, in front of an upstream that records what it gets. */
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { ROOT } from '../../support/deploy-files.js'
import { completion, json, upstream } from '../../support/fakes/upstream.js'
import { chat, startZoom, withCrop } from '../../support/network/zoom-service.js'
import { LITELLM_ENV } from '../../support/servers.js'

t.setTimeout(600_000)

const LITELLM = join(process.env.CROPVLM_SERVERS ?? join(homedir(), '.cache/cropvlm/servers'), 'litellm/bin/litellm')
const skip = existsSync(LITELLM)
  ? false
  : 'run sh test/integration/servers/setup.sh, which takes minutes and a gigabyte'
/** LiteLLM refuses to start with a key that can be guessed. */
const MASTER_KEY = 'sk-3f9c1a77d05e4b6c8e21f4a90b7d6c35'

interface Proxy {
  post: (path: string, body: unknown) => Promise<{ status: number; text: string }>
  log: string[]
}

/** A LiteLLM proxy with the hook, as its docstring says to install it. */
async function startProxy(t: Test, model: string, env: Record<string, string>): Promise<Proxy> {
  const dir = t.testdir({})
  copyFileSync(join(ROOT, 'integrations/litellm_zoom.py'), join(dir, 'litellm_zoom.py'))
  const params = { model: 'openai/vlm', api_base: model, api_key: 'sk-of-the-model', max_retries: 0 }
  const settings = {
    model_list: [{ model_name: 'vlm', litellm_params: params }],
    litellm_settings: { callbacks: 'litellm_zoom.zoom', num_retries: 0 },
    general_settings: { master_key: MASTER_KEY },
  }
  // JSON is YAML
  writeFileSync(join(dir, 'config.yaml'), JSON.stringify(settings))
  const args = ['--config', join(dir, 'config.yaml'), '--host', '127.0.0.1', '--port', '0', '--telemetry', 'False']
  const child = spawn(LITELLM, args, {
    env: { ...process.env, ...LITELLM_ENV, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const log: string[] = []
  const url = await addressOf(child, log)
  return {
    log,
    async post(path, body) {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${MASTER_KEY}` }
      const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: response.status, text: await response.text() }
    },
  }
}

/** The address that it prints once it listens. Every line goes to `log`. */
function addressOf(child: ChildProcess, log: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      if (stream)
        createInterface({ input: stream }).on('line', line => {
          log.push(line)
          const address = /running on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1]
          if (address !== undefined) resolve(address)
        })
    child.on('error', reject)
    child.on('close', code => reject(new Error(`LiteLLM ended with ${code}:\n${log.slice(-20).join('\n')}`)))
  })
}

t.test('LiteLLM', { skip }, async t => {
  const model = await upstream(t, completion('31.70'))
  const zoom = await startZoom(t, 'sk-of-cropvlm')
  // with room for a busy machine, but for what never answers
  const env = { CROPVLM_URL: `${zoom.url}/`, CROPVLM_API_KEY: 'sk-of-cropvlm', CROPVLM_TIMEOUT: '3' }
  const proxy = await startProxy(t, model.baseUrl, env)
  const ask = async (body: unknown) => {
    const { status, text } = await proxy.post('/v1/chat/completions', body)
    t.equal(status, 200, text)
    t.equal(JSON.parse(text).choices[0].message.content, '31.70')
    // it asks for the list of models too
    return model.received.findLast(({ url }) => url === '/v1/chat/completions')?.body
  }

  await t.test('a picture gets its crop', async t => {
    const seen = await ask({ ...chat(), temperature: 0, max_tokens: 5 })
    t.match(seen, { temperature: 0, max_tokens: 5 })
    t.strictSame(seen?.messages, withCrop())
    const [{ url, headers, body } = {}] = zoom.received
    t.equal(url, '/zoom')
    t.equal(headers?.authorization, 'Bearer sk-of-cropvlm')
    t.strictSame(body, chat(), 'neither what else the caller sent nor a key of LiteLLM is sent')
  })

  await t.test('the options of a caller go to CropVLM and not to the model', async t => {
    const cropvlm = { zoom: 'always', max_images: 2 }
    t.notOk('cropvlm' in ((await ask({ ...chat(), cropvlm })) ?? {}))
    t.strictSame(zoom.received.at(-1)?.body, { ...chat(), cropvlm })
  })

  await t.test('a request without pictures is not sent', async t => {
    const before = zoom.received.length
    const plain = { model: 'vlm', messages: [{ role: 'user', content: 'hi' }] }
    const seen = await ask({ ...plain, cropvlm: { zoom: 'off' } })
    t.strictSame(seen?.messages, plain.messages)
    t.notOk('cropvlm' in (seen ?? {}))
    t.equal(zoom.received.length, before)
  })

  const failures = [
    ['refuses', () => zoom.fail(json(503, { error: { message: 'What is the total?' } })), /status 503/],
    ['answers what is no chat', () => zoom.fail(json(200, { ok: true })), /KeyError/],
    ['does not answer', () => zoom.fail(() => {}), /TimeoutError/],
    ['is down', () => zoom.close(), /ConnectError/],
  ] as const
  for (const [name, fail, says] of failures)
    await t.test(`a service that ${name}: requests go on as they came, and the log tells it once`, async t => {
      zoom.fail(undefined)
      t.strictSame((await ask(chat()))?.messages, withCrop(), 'all is well before')
      const before = proxy.log.length
      await fail()
      for (const question of ['What is the total?', 'And who signed?'])
        t.strictSame((await ask(chat(question)))?.messages, chat(question).messages)
      const log = proxy.log.slice(before).join('\n')
      t.equal(log.match(/CropVLM gave no crop/g)?.length, 1, log)
      t.match(log, says)
    })

  t.notMatch(proxy.log.join('\n'), /sk-of-cropvlm|the total/, 'nothing of a user, and no key, is logged')
})
