/** `npm run corpus`: sends every file of some folders as an image to a service that it starts, and counts the replies. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../../../bench/root.js'
import { assertUnhurt } from '../world/health.js'
import { Starter } from '../world/service.js'
import { askAll, type Findings } from './ask.js'
import { distinctFiles } from './files.js'

const HELP = `Sends every file of folders as an image, whatever it is, and checks that each reply is a box or a refusal with its
envelope, in time, that no process ends, and that a good request gets the same box afterwards.

  npm run corpus -- FOLDER... [--at-once 2] [--limit-ms 20000]

Exit code 1 where a file gets anything else: a status of 500 or above, no reply, no envelope, or too late.
`

const OPTIONS = {
  'at-once': { type: 'string', default: '2' },
  'limit-ms': { type: 'string', default: '20000' },
  help: { type: 'boolean' },
} as const

async function main(): Promise<void> {
  const { values, positionals: folders } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const [atOnce, limitMs] = [Number(values['at-once']), Number(values['limit-ms'])]
  const isWrong = folders.length === 0 || !(atOnce >= 1) || !(limitMs >= 1)
  if (values.help || isWrong) {
    process.stdout.write(HELP)
    process.exitCode = isWrong && !values.help ? 2 : 0
  } else process.exitCode = (await run(folders, { atOnce, limitMs })) ? 0 : 1
}

/** @returns whether nothing is wrong */
async function run(folders: readonly string[], how: { atOnce: number; limitMs: number }): Promise<boolean> {
  const graphs = mkdtempSync(join(tmpdir(), 'corpus-graphs-'))
  const service = await new Starter(join(ROOT, 'dist'), graphs).ready()
  try {
    await service.remember()
    const start = performance.now()
    const found = await askAll(service, distinctFiles(folders), how)
    report(found, performance.now() - start)
    if (service.before)
      process.stdout.write(
        `unhurt: ${await assertUnhurt(service, service.before, { engineEnded: false, boundsMemory: true })}\n`,
      )
    return found.faults.length === 0
  } finally {
    await service.stop()
    rmSync(graphs, { recursive: true, force: true })
  }
}

function report({ files, counts, faults, slowest }: Findings, ms: number): void {
  const lines = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([what, count]) => `${String(count).padStart(7)}  ${what}`)
  const shown = faults.map(fault => `FAIL ${fault}`)
  const summary = `${files} files in ${(ms / 1000).toFixed(1)} s, ${faults.length} faults; slowest ${Math.round(slowest.ms)} ms: ${slowest.path}`
  process.stdout.write(`${[...lines, ...shown, summary].join('\n')}\n`)
}

await main()
