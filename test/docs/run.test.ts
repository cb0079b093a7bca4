/** What a newcomer copies from the pages, run against a service as it starts with nothing configured. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import t from 'tap'
import { createService } from '../../src/service.js'
import { compiledService } from '../support/compiled.js'
import { blocks, documents, ROOT } from './documents.js'

t.setTimeout(240_000)

const ADDRESS = 'http://127.0.0.1:8080'
const service = await createService({ env: { PORT: '0' }, log: pino({ level: 'silent' }) })
t.teardown(() => service.close())
const url = await service.listen()
await service.ready

// inside the compiled package, which so finds itself under its own name, and the other packages above
const folder = join(compiledService(), '../documents')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
symlinkSync(join(ROOT, 'docs'), join(folder, 'docs'))

const pages = documents().flatMap(blocks)
const curls = pages.filter(({ language, code }) => language === 'sh' && /^curl /m.test(code))
const scripts = pages.filter(({ language, code }) => language === 'js' && /^import /m.test(code))

t.test('every block that begins with curl', async t => {
  t.ok(curls.length >= 4)
  for (const { code, at } of curls) {
    // a status of 400 or above is a failure, which curl alone does not tell
    const script = `set -e\ncurl() { command curl -sS --fail-with-body "$@"; }\n${code.replaceAll(ADDRESS, url)}`
    t.match(await run('bash', ['-o', 'pipefail', '-c', script]), { status: 0, stderr: '' }, at)
  }
})

t.test('every script', async t => {
  t.ok(scripts.length >= 1)
  for (const [index, { code, at }] of scripts.entries()) {
    const file = join(folder, `${index}.mjs`)
    writeFileSync(file, code.replaceAll(ADDRESS, url))
    t.match(await run(process.execPath, [file]), { status: 0, stderr: '' }, at)
  }
})

async function run(
  command: string,
  args: string[],
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status: status as number | null, stdout, stderr }
}
