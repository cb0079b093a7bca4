/** The audit of the dependencies, with the real `npm audit`, against a registry and an OSV of this test's own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { ROOT } from '../support/deploy-files.js'

t.setTimeout(240_000)

const TRAINER = join(ROOT, 'trainer/.venv/bin/python')
const PIP_AUDIT = join(homedir(), '.cache/cropvlm/pip-audit==2.10.1/bin/pip-audit')

interface World {
  /** The registry's advisories by package; null: it has none to give. */
  advisories: Record<string, unknown[]> | null
  /** OSV's answer about pillow; null: OSV refuses. */
  pillow: unknown[] | null
  allowed: unknown[]
}

/** Runs the audit in a world that the test makes. */
async function audit(t: Test, { advisories, pillow, allowed }: World, args: string[] = []) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const chunks = await request.toArray()
    const body = Buffer.concat(chunks)
    const sent = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    const give = (value: unknown) => response.setHeader('content-type', 'application/json').end(JSON.stringify(value))
    const refuse = () => response.writeHead(405).end()
    if (request.url?.endsWith('/advisories/bulk')) {
      asked.push(...Object.keys(JSON.parse(sent.toString())))
      if (advisories) give(advisories)
      else refuse()
    } else if (!pillow) refuse()
    else if (request.url === '/v1/query') {
      const name = JSON.parse(sent.toString()).package.name
      asked.push(name)
      give(name.toLowerCase() === 'pillow' ? { vulns: pillow } : {})
    } else give({ database_specific: { severity: 'CRITICAL' } })
  })
  await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  const file = join(t.testdir({ 'allowed.json': JSON.stringify(allowed) }), 'allowed.json')
  const child = spawn(process.execPath, ['scripts/audit/main.mjs', ...args], {
    cwd: ROOT,
    env: { ...process.env, npm_config_registry: url, OSV_URL: url, AUDIT_ALLOWED: file, NO_PROXY: '*', no_proxy: '*' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
  return { said, status, asked }
}

const SHARP = {
  id: 1234567,
  url: 'https://github.com/advisories/GHSA-aaaa-bbbb-cccc',
  title: 'libvips reads past a buffer',
  severity: 'high',
  vulnerable_versions: '>=0.1.0',
}
const letPass = { id: 'GHSA-aaaa-bbbb-cccc', package: 'sharp', reason: 'no TIFF is read', until: '2999-01-31' }
const none = { advisories: null, pillow: null, allowed: [] }

t.test('where no advisories can be had it says so, and fails where they are required', async t => {
  const { said, status } = await audit(t, none)
  t.match(said, /^SKIPPED: npm audit \(.*\): the registry gives no advisories \(405 /m)
  t.match(
    said,
    existsSync(TRAINER) ? /^SKIPPED: pip-audit .* OSV cannot be asked \(405/m : /^SKIPPED: pip-audit .*setup\.sh/m,
  )
  t.equal(status, 0)
  const strict = await audit(t, none, ['--require'])
  t.match(strict, { status: 1, said: /--require: both have to be asked/ })
})

t.test('a fault of high severity in what production gets fails; a low one does not', async t => {
  const low = { ...SHARP, id: 2, url: 'https://github.com/advisories/GHSA-dddd', severity: 'moderate' }
  const { said, status, asked } = await audit(t, { ...none, advisories: { sharp: [SHARP], fastify: [low] } })
  t.match(said, /^npm audit: 1 to mend, 1 let pass or of low severity/m)
  t.match(said, /^ {2}high GHSA-aaaa-bbbb-cccc: sharp >=0\.1\.0: libvips reads past a buffer$/m)
  t.match(said, /docs\/project\/dependencies\.md/)
  t.equal(status, 1)
  t.ok(asked.includes('onnxruntime-node'))
  t.notOk(asked.includes('typescript'), 'devDependencies are not asked for')
})

t.test('a fault is let pass for a reason, until a day', async t => {
  const advisories = { sharp: [SHARP] }
  t.match(await audit(t, { ...none, advisories, allowed: [letPass] }), {
    status: 0,
    said: /npm audit: 0 to mend, 1 let pass/,
  })
  t.match(await audit(t, { ...none, advisories, allowed: [{ ...letPass, until: '2026-01-31' }] }), {
    status: 1,
    said: /allowed\.json: GHSA-aaaa-bbbb-cccc of sharp: let pass until 2026-01-31; look at it again/,
  })
  t.match(await audit(t, { ...none, advisories, allowed: [{ ...letPass, reason: '' }] }), {
    status: 1,
    said: /sharp: reason missing/,
  })
})

const missing = existsSync(PIP_AUDIT) && existsSync(TRAINER) ? false : 'pip-audit or the trainer is not installed'
t.test("the trainer's packages, by pip-audit", { skip: missing }, async t => {
  const fault = {
    id: 'PYSEC-2026-1',
    aliases: ['GHSA-eeee-ffff-gggg'],
    modified: '2026-01-01T00:00:00Z',
    published: '2026-01-01T00:00:00Z',
    summary: 'a picture that runs code',
    affected: [
      {
        package: { name: 'pillow', ecosystem: 'PyPI' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '99.0' }] }],
      },
    ],
  }
  const { said, status, asked } = await audit(t, { ...none, advisories: {}, pillow: [fault] })
  t.match(said, /^npm audit: 0 to mend, 0 let pass/m)
  t.match(said, /^pip-audit: 1 to mend/m)
  t.match(said, /^ {2}critical \S+: pillow [\d.]+: a picture that runs code\n {4}mended in 99\.0$/m)
  t.equal(status, 1)
  t.ok(asked.includes('torch'))
  t.notOk(asked.includes('pytest'), 'the tools for tests are not asked for')
})
