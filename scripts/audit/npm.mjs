/** The faults of the service's packages, by `npm audit`, which asks the registry that npm is set to. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'

const WHAT = 'package-lock.json without devDependencies'
/** A registry that does not answer costs no more than this. */
const PATIENCE = ['--fetch-retries=0', '--fetch-timeout=20000']

export async function npmFindings() {
  const child = spawn('npm', ['audit', '--omit=dev', '--package-lock-only', '--json', ...PATIENCE], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { tool: 'npm audit', what: WHAT, ...readNpmAudit(out, errors) }
}

/** Reads what `npm audit --json` prints: its report, or an error. */
export function readNpmAudit(out, errors) {
  let report = {}
  try {
    report = JSON.parse(out)
  } catch {}
  if (!report.vulnerabilities) {
    const said = report.message ?? report.error?.summary ?? errors.trim().split('\n')[0]
    return { skipped: `the registry gives no advisories (${said || 'npm said nothing'})` }
  }
  const findings = Object.values(report.vulnerabilities).flatMap(({ name, via, fixAvailable }) =>
    // what is only named has the fault by another package, which is listed itself
    via
      .filter(cause => typeof cause === 'object')
      .map(cause => ({
        name,
        version: cause.range,
        id: cause.url?.split('/').at(-1) ?? String(cause.source),
        aliases: [String(cause.source)],
        severity: cause.severity,
        title: cause.title,
        fix: fixAvailable
          ? `npm audit fix, or npm update ${name}`
          : `no version without it yet; npm ls ${name} tells who brings it`,
      })),
  )
  return { findings }
}
