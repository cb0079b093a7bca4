/**
 * What the engine's allocators take to read pages of many sizes:
 *
 *   npm run allocators -- FOLDER [PAGES]
 *
 * FOLDER has pictures of pages, each of which is read at several sizes; PAGES are read (40) by a process for each allocator.
 * "least" is of the second half of the pages: what the process does not give back.
 */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { allocatorEnvironment, GLIBC } from '../../src/engine/parent/process/allocator.js'

interface Cost {
  seconds: number
  least: number
  most: number
}

const [folder, pages = '40'] = process.argv.slice(2)
if (folder === undefined) throw new Error('npm run allocators -- FOLDER [PAGES]')
const chosen = allocatorEnvironment({})
const environments = {
  'glibc, as it comes': {},
  'glibc, one arena': GLIBC,
  ...(chosen.LD_PRELOAD ? { jemalloc: chosen, 'jemalloc, no huge pages': withoutHugePages(chosen) } : {}),
}
if (!chosen.LD_PRELOAD) process.stderr.write('jemalloc is not installed (apt-get install libjemalloc2)\n')
process.stdout.write(`| allocator | processor time, s | resident, MiB: least | most |\n|---|---|---|---|\n`)
const program = fileURLToPath(new URL('read-pages.js', import.meta.url))
for (const [name, environment] of Object.entries(environments)) {
  const { PATH, HOME } = process.env
  const text = execFileSync(process.execPath, ['--max-semi-space-size=2', program, folder, pages], {
    env: { PATH, HOME, ...environment },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const { seconds, least, most } = JSON.parse(text) as Cost
  process.stdout.write(`| ${name} | ${seconds.toFixed(1)} | ${least.toFixed(0)} | ${most.toFixed(0)} |\n`)
}

function withoutHugePages(environment: Readonly<Record<string, string>>) {
  return { ...environment, MALLOC_CONF: `${environment.MALLOC_CONF},thp:never` }
}
