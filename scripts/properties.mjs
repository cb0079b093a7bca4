/**
 * Tries the properties of `test/` on more cases than `npm test` does: `npm run properties -- [--runs N] [--seed S] [FILE]...`.
 * A failure prints its seed and the smallest case that was found; the seed given again makes the same cases.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: '5000' }, seed: { type: 'string' } },
  allowPositionals: true,
})
const wrong = Object.entries(values).find(([, value]) => !/^-?\d+$/.test(value))
if (wrong) {
  console.error(`--${wrong[0]} is a whole number, not ${wrong[1]}.`)
  process.exit(1)
}

const root = fileURLToPath(new URL('..', import.meta.url))
const tests = readdirSync(`${root}test`, { recursive: true })
  .filter(file => file.endsWith('.test.ts'))
  .map(file => `test/${file}`)
const files = tests.filter(file => readFileSync(root + file, 'utf8').includes('support/properties/runs.js'))

const { runs, seed } = values
const env = { ...process.env, PROPERTY_RUNS: runs, ...(seed === undefined ? {} : { PROPERTY_SEED: seed }) }
const tap = ['tap', '--timeout=86400', '--allow-incomplete-coverage', ...(positionals.length > 0 ? positionals : files)]
process.exitCode = spawnSync('npx', tap, { cwd: root, env, stdio: 'inherit' }).status ?? 1
