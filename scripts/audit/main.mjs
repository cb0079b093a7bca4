/**
 * `npm run audit-dependencies`: looks up what is brought to production, the service's packages by package-lock.json and the
 * trainer's by trainer/.venv, in the registry's advisories (`npm audit`) and in OSV's (`pip-audit`). Fails on a known fault of
 * high, critical or unknown severity that `allowed.json` beside this file does not let pass. Where advisories cannot be had it
 * says "SKIPPED" and why; with `--require` that fails too.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { judge, readAllowed } from './judge.mjs'
import { npmFindings } from './npm.mjs'
import { pipFindings } from './pip.mjs'

const today = new Date().toISOString().slice(0, 10)
const file = process.env.AUDIT_ALLOWED ?? fileURLToPath(new URL('allowed.json', import.meta.url))
const required = process.argv.includes('--require')

const { allowed, faults } = readAllowed(readFileSync(file, 'utf8'), today)
const results = await Promise.all([npmFindings(), pipFindings()])
const lines = []
let isBad = faults.length > 0
let isSkipped = false
for (const { tool, what, findings, skipped } of results) {
  if (skipped) {
    isSkipped = true
    lines.push(`SKIPPED: ${tool} (${what}): ${skipped}`)
    continue
  }
  const { bad, passed } = judge(findings, allowed)
  isBad ||= bad.length > 0
  lines.push(
    `${tool}: ${bad.length} to mend, ${passed.length} let pass or of low severity (${what})`,
    ...bad.map(({ name, version, id, severity, title, fix }) =>
      [`  ${severity} ${id}: ${name} ${version}: ${title}`, `    ${fix}`].join('\n'),
    ),
  )
}
for (const fault of faults) lines.push(`allowed.json: ${fault}`)
if (isBad)
  lines.push(
    'Move to a version without the fault (docs/project/dependencies.md), or, where it cannot be reached from here, let it pass in scripts/audit/allowed.json with the reason and a date.',
  )
if (isSkipped && required)
  lines.push('--require: both have to be asked; run it where the registry and api.osv.dev can be reached.')
console.log(lines.join('\n'))
process.exitCode = isBad || (isSkipped && required) ? 1 : 0
