/** The program itself, compiled, in processes of its own. */
import { type SpawnOptionsWithoutStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { compiledService } from '../support/compiled.js'
import { ROOT } from '../support/deploy-files.js'
import { tinyModel } from '../support/real.js'
import { noise } from '../support/scripted.js'

// starts processes, which takes its time on a busy machine
t.setTimeout(240_000)
t.jobs = 3
const waiting = { buffered: true }

const dist = compiledService()
const MAIN = join(dist, 'cli/main.js')
const image = await noise(120, 90)

/** Of a service in the process; nothing of this machine's own settings. */
const ENV = {
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? '',
  CROPPER_MODEL: tinyModel('tiny-box'),
  GRAPH_CACHE_DIR: 'off',
  THREADS: '1',
}

/** tap has every process of Node load modules of its own. */
const BARE = 'unset NODE_OPTIONS; exec "$0" "$@"'

/** A process of the command. */
function start(t: Test, args: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
  const child = spawn('sh', ['-c', BARE, process.execPath, MAIN, ...args], { env: ENV, ...options })
  t.teardown(() => child.kill('SIGKILL'))
  const stderr: string[] = []
  child.stderr.setEncoding('utf8').on('data', chunk => stderr.push(chunk))
  const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    child,
    /** Resolves once stderr holds a match. */
    async told(pattern: RegExp): Promise<string> {
      for (;;) {
        const found = pattern.exec(stderr.join(''))
        if (found) return found[1] ?? found[0]
        await Promise.race([once(child.stderr, 'data'), closed])
        if (child.exitCode !== null) t.fail(`ended without ${pattern}: ${stderr.join('')}`)
      }
    },
    async ended() {
      const [status, signal] = await closed
      return { status: status ?? signal, stderr: stderr.join('') }
    },
  }
}

async function run(t: Test, args: readonly string[], options: SpawnOptionsWithoutStdio = {}) {
  const { child, ended } = start(t, args, options)
  const [stdout, end] = await Promise.all([text(child.stdout), ended()])
  return { stdout, ...end }
}

/** Packages that take next to no time to load. */
const LIGHT = [
  'commander',
  'fastest-levenshtein',
  'cli-progress',
  'string-width',
  'strip-ansi',
  'ansi-regex',
  'emoji-regex',
  'is-fullwidth-code-point',
  'csv-stringify',
]

t.test('--help and --version load next to nothing', waiting, async t => {
  const coverage = t.testdir()
  const options = { env: { ...ENV, NODE_V8_COVERAGE: coverage } }
  t.match(await run(t, ['--help'], options), { status: 0, stdout: /cropvlm \[options\] \[command\]/, stderr: '' })
  t.match(await run(t, ['crop', '--help'], options), { status: 0, stdout: /--overlay <PATH>/, stderr: '' })
  t.match(await run(t, ['--version'], options), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
  const urls = readdirSync(coverage).flatMap(file => {
    const { result } = JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: { url: string }[] }
    return result.map(({ url }) => url).filter(url => url.startsWith('file:'))
  })
  t.ok(urls.some(url => url.endsWith('/cli/main.js')))
  const packages = new Set(urls.map(url => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]).filter(Boolean))
  t.ok(packages.has('commander'))
  t.same(
    [...packages].filter(name => !LIGHT.includes(name ?? '')),
    [],
  )
  const own = urls.map(url => fileURLToPath(url)).filter(path => path.startsWith(`${dist}/`))
  const heavy = own
    .map(path => path.slice(dist.length + 1))
    .filter(
      path =>
        !/^(cli|client|mcp)\/|^(version|errors|config\/(access\/key-(to-send|file)|bounded-file)|contract\/nesting)\.js$/.test(
          path,
        ),
    )
  t.same(heavy, [], 'nothing of the service')
})

t.test('exit codes, and messages without a stack', waiting, async t => {
  const cwd = t.testdir({ 'page.png': image, '.env': 'PORT=http' })
  for (const [args, env, status, message] of [
    [['corp'], {}, 2, "error: unknown command 'corp'\n(Did you mean crop?)\n"],
    [['crop', 'pgae.png', 'a?'], {}, 3, 'There is no file pgae.png; did you mean page.png?\n'],
    [['crop', 'page.png', 'a?'], {}, 2, /^The configuration is wrong:\n- PORT is "http"; set it to/],
    [['serve', '--port', 'x'], {}, 2, /- PORT is "x"; set it to .*\n\(--port sets PORT\.\)\n$/],
    [
      ['crop', 'page.png', 'a?', '--url', 'http://127.0.0.1:9'],
      {},
      1,
      /^No service answers at http:\/\/127\.0\.0\.1:9: .*\n$/,
    ],
    [['eval', '--data', '/nowhere'], {}, 2, /^\/nowhere\/manifest\.jsonl cannot be read .*\n$/],
    [['models', 'pull', 'no id'], {}, 2, /^no id is no hub id; .*\n$/],
    [
      ['crop', 'page.png', 'a?'],
      { PORT: '1', CROPPER_MODEL: 'models/nope' },
      2,
      /^There is no model folder .*\/models\/nope, nor one of that path in the package/,
    ],
  ] as const) {
    const { stdout, ...found } = await run(t, args, { cwd, env: { ...ENV, ...env } })
    t.match(found, { status, stderr: message }, args.join(' '))
    t.equal(stdout, '')
  }
})

t.test('a box from an empty folder, with a model of the package, .env, and stdin', waiting, async t => {
  const cwd = t.testdir({ '.env': 'CROPPER_MODEL=models/cropvlm-mini\nCROPPER_MODLE=x\n' })
  const { CROPPER_MODEL: _tiny, ...env } = ENV
  const { child, ended } = start(t, ['crop', '-', 'What is the total?', '--overlay', 'out/box.png'], { cwd, env })
  child.stdin.end(readFileSync(join(ROOT, 'docs/example.png')))
  t.match(await text(child.stdout), /^-\t\d+ \d+ \d+ \d+\t\d+ \d+ \d+ \d+\tzoomed\t0\.\d\d\t\tWhat is the total\?\n$/)
  const { status, stderr } = await ended()
  t.equal(status, 0)
  const [warning = '', about = '', ...others] = stderr.split('\n')
  t.match(JSON.parse(warning), { level: 40, msg: /^CROPPER_MODLE is set, .*CROPPER_MODEL\?$/ })
  t.match(about, /^-: cropvlm-mini knows synthetic pages only/)
  t.same(others, [''])
  t.same(readFileSync(join(cwd, 'out/box.png')).subarray(1, 4).toString(), 'PNG')
})

t.test('Ctrl+C while the models load ends the service with the command', waiting, async t => {
  const cwd = t.testdir({ 'page.png': image })
  const { child, told, ended } = start(t, ['crop', 'page.png', 'a?'], { cwd, env: { ...ENV, LOG_LEVEL: 'info' } })
  const engine = Number(await told(/"engine":(\d+),"msg":"engine process started/))
  child.kill('SIGINT')
  t.match(await ended(), { status: 130, stderr: /\nStopped\.\n$/ })
  t.throws(() => process.kill(engine, 0), { code: 'ESRCH' })
})

/** A service that calls `onRequest`, and then gives this reply or none. */
async function service(t: Test, onRequest: () => void, reply: string | null): Promise<string> {
  const server = createServer(async (request, response) => {
    for await (const _chunk of request);
    onRequest()
    if (reply !== null) response.end(reply)
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  t.teardown(() => server.closeAllConnections())
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test('a signal ends a request that waits', waiting, async t => {
  const cwd = t.testdir({ 'page.png': image })
  let stop = () => {}
  const url = await service(t, () => stop(), null)
  const { child, ended } = start(t, ['crop', 'page.png', 'page.png', 'a?', '--url', url], { cwd })
  stop = () => child.kill('SIGTERM')
  t.same(await ended(), { status: 143, stderr: 'Stopped.\n' })
})

t.test('a reader that has read enough ends it quietly', waiting, async t => {
  const cwd = t.testdir({ 'page.png': image })
  let close = () => {}
  const reply = JSON.stringify({
    object: 'crop',
    bbox: [1, 2, 3, 4],
    bbox_pixels: [1, 2, 3, 4],
    image: {},
    decision: 'zoomed',
    reason: null,
    confidence: null,
    warnings: [],
  })
  const url = await service(t, () => close(), reply)
  const files = Array<string>(20).fill('page.png')
  const { child, ended } = start(t, ['crop', ...files, 'a?', '--url', url], { cwd })
  close = () => child.stdout.destroy()
  t.same(await ended(), { status: 0, stderr: '' })
})

t.test('serve: options above variables above .env; a signal ends it', waiting, async t => {
  const cwd = t.testdir({ '.env': 'PORT=1\nAPI_KEY=secret\nLOG_LEVEL=silent\nTARGET_URL=x\n' })
  const { child, ended } = start(t, ['serve', '--port', '0', '--target-model', `local:${tinyModel('tiny')}`], {
    cwd,
    env: { ...ENV, LOG_LEVEL: 'info' },
  })
  let log = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    log += chunk
    if (log.includes('ready; try')) break
  }
  const lines = log
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { level: number; msg: string; url?: string })
  t.same(
    lines.filter(({ level }) => level > 30).map(({ msg }) => msg),
    ['TARGET_URL is set, but nothing reads it; did you mean TARGET_BASE_URL?'],
  )
  const url = lines.find(({ msg }) => msg.startsWith('ready; try'))?.url ?? ''
  t.equal((await fetch(`${url}/info`)).status, 401)
  const info = await fetch(`${url}/info`, { headers: { authorization: 'Bearer secret' } })
  t.match(await info.json(), { targets: [{ name: 'local' }] })
  child.kill('SIGINT')
  t.match(await ended(), { status: 0 })
})

const noTerminal = process.platform === 'linux' ? false : 'script(1) takes other arguments here'

t.test('serve on a terminal says plainly where the page is', { skip: noTerminal, ...waiting }, async t => {
  const cwd = t.testdir()
  const command = `exec ${process.execPath} ${MAIN} serve -p 0`
  const child = spawn('script', ['-qefc', command, '/dev/null'], { cwd, env: { ...ENV, TERM: 'dumb' } })
  t.teardown(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  let shown = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    shown += chunk
    if (shown.includes('Ctrl+C') && !shown.includes('^C')) child.stdin.write('\x03')
  }
  t.match(shown, /^CropVLM is ready\.\r\n\r\n {2}page +(http:\/\/127\.0\.0\.1:\d+)\/\r\n {2}API +\1\/docs\r\n/)
  t.match(shown, /Boxes are found by onnx; answers come from local\. Ctrl\+C stops it\.\r\n/)
  t.notMatch(shown, /"level":30/)
  t.equal((await closed)[0], 0)
})
