/** The faults of the trainer's packages, by pip-audit, which asks OSV (https://osv.dev). */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const PIP_AUDIT = 'pip-audit==2.10.1'
const WHAT = 'the trainer in trainer/.venv without its tools for tests'
const OSV = process.env.OSV_URL ?? 'https://api.osv.dev'
const PATIENCE_MS = 20_000

const at = path => fileURLToPath(new URL(path, import.meta.url))

export async function pipFindings() {
  const result = await look().catch(error => ({ skipped: error.message }))
  return { tool: 'pip-audit', what: WHAT, ...result }
}

async function look() {
  const python = at('../../trainer/.venv/bin/python')
  if (!existsSync(python)) throw new Error('trainer/.venv is not there; sh trainer/setup.sh makes it')
  // asked before a tool is installed that would be of no use
  await osv('v1/query', { package: { name: 'pip', ecosystem: 'PyPI' }, version: '1.0' })
  const folder = mkdtempSync(join(tmpdir(), 'cropvlm-audit-'))
  try {
    const requirements = join(folder, 'requirements.txt')
    const packages = await run(python, [at('production_packages.py')])
    writeFileSync(requirements, packages.out)
    const options = ['--disable-pip', '--no-deps', '--progress-spinner=off', '--format=json', '--timeout=20']
    const audit = await run(await pipAudit(), [
      ...options,
      '-s',
      'osv',
      '--osv-url',
      `${OSV}/v1/query`,
      '-r',
      requirements,
    ])
    // 1: there are faults
    if (!audit.out.startsWith('{')) throw new Error(`pip-audit failed (${audit.errors.trim().split('\n').at(-1)})`)
    return { findings: await readPipAudit(audit.out, severityOf) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Reads what pip-audit prints as JSON. @param severityOf Tells the severity from the ids of a fault. */
export async function readPipAudit(out, severityOf) {
  const found = JSON.parse(out).dependencies.flatMap(({ name, version, vulns = [] }) =>
    vulns.map(vuln => ({ name, version, ...vuln })),
  )
  return Promise.all(
    found.map(async ({ name, version, id, aliases, fix_versions: fixes, description }) => ({
      name,
      version,
      id,
      aliases,
      severity: await severityOf([id, ...aliases]),
      title: description.split('\n')[0].slice(0, 120),
      fix: fixes.length > 0 ? `mended in ${fixes.join(', ')}` : 'no version without it yet',
    })),
  )
}

/** As OSV's entry of GitHub has it, which is the one that says it in a word. */
async function severityOf(ids) {
  const id = ids.find(one => one.startsWith('GHSA-'))
  const entry = id ? await osv(`v1/vulns/${id}`) : {}
  return entry.database_specific?.severity?.toLowerCase() ?? 'unknown'
}

async function osv(path, body) {
  const init = body ? { method: 'POST', body: JSON.stringify(body) } : {}
  const reply = await fetch(`${OSV}/${path}`, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) }).catch(error => {
    throw new Error(`OSV cannot be reached (${error.cause?.message ?? error.message})`)
  })
  if (!reply.ok) throw new Error(`OSV cannot be asked (${reply.status} ${reply.statusText})`)
  return reply.json()
}

/** The tool, in a virtual environment of its own, which is made where it is missing. */
async function pipAudit() {
  const folder = join(homedir(), '.cache/cropvlm', PIP_AUDIT)
  const program = join(folder, 'bin/pip-audit')
  if (existsSync(program)) return program
  for (const command of [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet', PIP_AUDIT],
  ]) {
    const { status, errors } = await run(command[0], command.slice(1))
    if (status !== 0) throw new Error(`${PIP_AUDIT} cannot be installed (${errors.trim().split('\n').at(-1)})`)
  }
  return program
}

async function run(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise((resolve, reject) => child.on('close', resolve).on('error', reject))
  const [status, out, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)])
  return { status, out, errors }
}
