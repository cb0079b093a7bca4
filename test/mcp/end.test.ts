/** How the server ends: with code 0, its engine processes and its folder gone, and nothing on stdout but the protocol. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import t, { type Test } from 'tap'
import { ROOT } from '../support/deploy-files.js'
import { COMMAND, environment } from './session.js'

t.setTimeout(240_000)

interface Message {
  id?: number
  method?: string
  result?: { structuredContent?: { file: string } }
  params?: { message?: string }
}

/** The server without a client, so that every line of its stdout is seen. */
async function start(t: Test, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, COMMAND, { cwd: join(ROOT, 'docs'), env: environment(env) })
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr.pipe(process.stderr)
  const lines = createInterface({ input: child.stdout })
  const messages: Message[] = []
  // a line that is no JSON ends the test
  lines.on('line', line => messages.push(JSON.parse(line) as Message))
  const exit = once(child, 'close')
  const send = (message: object) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const message = async (fits: (message: Message) => boolean) => {
    for (;;) {
      const found = messages.find(fits)
      if (found) return found
      await once(lines, 'line')
    }
  }
  const clientInfo = { name: 'test', version: '1' }
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } })
  await message(({ id }) => id === 1)
  send({ method: 'notifications/initialized' })
  const call = (id: number, input: object) => {
    const params = { name: 'zoom_image', arguments: input, _meta: { progressToken: id } }
    send({ id, method: 'tools/call', params })
  }
  return { child, call, message, exit, messages, send }
}

/** Processes that a process has started. */
function childrenOf({ pid }: ChildProcessWithoutNullStreams): string[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
}

const bbox_2d = [0, 0, 500, 500]
const onLinux = process.platform === 'linux'

const WAYS: [name: string, end: (child: ChildProcessWithoutNullStreams) => void][] = [
  ['a closed stdin', child => child.stdin.end()],
  ['SIGTERM', child => child.kill('SIGTERM')],
]

for (const [name, end] of WAYS)
  t.test(`${name}, after a call`, { skip: !onLinux && 'the processes are read from /proc' }, async t => {
    const { child, call, message, exit } = await start(t)
    call(2, { image: 'example.png', bbox_2d })
    const { result } = await message(({ id }) => id === 2)
    const folder = dirname(result?.structuredContent?.file ?? '')
    t.equal(readdirSync(folder).length, 1)
    const engines = childrenOf(child)
    t.equal(engines.length, 1)
    end(child)
    t.same(await exit, [0, null])
    t.notOk(existsSync(folder))
    t.same(
      engines.filter(pid => existsSync(`/proc/${pid}`)),
      [],
    )
  })

t.test('SIGTERM while the models are loading', { skip: !onLinux && 'the processes are read from /proc' }, async t => {
  const { child, call, message, exit, messages } = await start(t)
  call(2, { image: 'example.png', question: 'What is the total?' })
  await message(({ params }) => /loading its models/.test(params?.message ?? ''))
  while (childrenOf(child).length === 0) await new Promise(setImmediate)
  const engines = childrenOf(child)
  child.kill('SIGTERM')
  t.same(await exit, [0, null])
  t.same(
    engines.filter(pid => existsSync(`/proc/${pid}`)),
    [],
  )
  t.notOk(messages.some(({ params }) => /Looking/.test(params?.message ?? '')))
})

t.test('a line that is no message is passed over; a wrong configuration is told before anything is served', async t => {
  const { child, call, message, exit } = await start(t)
  child.stderr.unpipe()
  child.stdin.write('this is no JSON\n{"jsonrpc": "2.0"}\n')
  call(2, { image: 'example.png', bbox_2d })
  t.ok((await message(({ id }) => id === 2)).result?.structuredContent)
  child.stdin.end()
  t.same(await exit, [0, null])
  for (const [args, env, says] of [
    [['--root', 'missing'], {}, /--root missing is no folder/],
    [[], { MAX_PIXELS: 'many' }, /MAX_PIXELS/],
    [['--timeout', 'soon'], {}, /--timeout/],
  ] as const) {
    const wrong = spawn(process.execPath, [...COMMAND, ...args], { env: environment(env) })
    let stderr = ''
    wrong.stderr.on('data', chunk => {
      stderr += chunk
    })
    t.same(await once(wrong, 'close'), [2, null])
    t.match(stderr, says)
  }
})
