import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { NO_SANDBOX } from '../../../support/bubblewrap.js'
import { compiledService } from '../../../support/compiled.js'
import { noise } from '../../../support/scripted.js'
import { postCrop, startServer } from '../../../support/server.js'

t.setTimeout(240_000)

const image = new Uint8Array(await noise(300, 200))

t.test('the whole service with its engine in a sandbox', { skip: NO_SANDBOX }, async t => {
  const cache = t.testdir()
  // tap has every process write a note when it ends
  const notes = { _TAPJS_PROCESSINFO_CWD_: cache }
  const server = startServer(t, compiledService(), { ENGINE_SANDBOX: 'on', GRAPH_CACHE_DIR: cache, ...notes })
  const { url } = await server.line('ready; try')
  const entries = readdirSync(cache).filter(name => /^[0-9a-f]{64}-/.test(name))
  t.equal(entries.length, 3, 'optimised graphs were written, by a process of its own')
  t.match(await (await fetch(`${url}/info`)).json(), { sandbox: { name: 'bubblewrap', reason: /no network/ } })
  t.match(await postCrop(String(url), image), { status: 200, body: { reason: 'not_a_cropper' } })
  const form = new FormData()
  form.set('question', 'What?')
  form.set('max_tokens', '2')
  form.set('image', new Blob([image]), 'page.png')
  t.equal((await fetch(`${url}/answer`, { method: 'POST', body: form })).status, 200)

  // as systemd stops a service, and as Ctrl-C in a terminal does: every process gets the signal
  const processes = [server.process.pid as number, ...descendants(server.process.pid as number)]
  t.match(
    processes.slice(1).map(pid => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()),
    ['bwrap', 'bwrap', /^cropvlm-engine$/],
  )
  for (const pid of processes.slice(1)) process.kill(pid, 'SIGTERM')
  t.match(await postCrop(String(url), image), { status: 200 }, 'the engine goes on')
  process.kill(processes[3] as number, 'SIGKILL')
  while ((await fetch(`${url}/health/ready`)).status === 200);
  while ((await fetch(`${url}/health/ready`)).status !== 200);
  t.match(await postCrop(String(url), image), { status: 200 }, 'it was replaced')
  t.ok(server.lines.some(({ msg }) => /^the engine process was killed by SIGKILL/.test(String(msg))))
  const left = descendants(server.process.pid as number)
  t.equal(left.length, 3)
  server.process.kill('SIGTERM')
  t.equal(await server.exit, 0)
  t.same(left.filter(isAlive), [])
})

t.test('a service that is killed leaves no process of the sandbox', { skip: NO_SANDBOX }, async t => {
  const server = startServer(t, compiledService(), { ENGINE_SANDBOX: 'on' })
  await server.line('ready; try')
  const processes = descendants(server.process.pid as number)
  t.equal(processes.length, 3)
  server.process.kill('SIGKILL')
  await server.exit
  while (processes.some(isAlive)) await new Promise(resolve => setTimeout(resolve, 5))
})

t.test('a service that may not run without a sandbox, where there can be none, does not start', async t => {
  const PATH = t.testdir({ sh: t.fixture('symlink', '/bin/sh') })
  const server = startServer(t, compiledService(), { ENGINE_SANDBOX: 'on', PATH })
  t.match(await server.line('ENGINE_SANDBOX=on'), { code: 'invalid_config', msg: /install bubblewrap/ })
  t.equal(await server.exit, 1)
})

/** All processes below one, from the top down. */
function descendants(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  return children.flatMap(child => [child, ...descendants(child)])
}

function isAlive(pid: number): boolean {
  try {
    // a process that has ended and is not reaped yet is no more
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
