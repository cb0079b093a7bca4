/** `npm run matrix`: every row in its long form against the compiled service, and a table of what was seen. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROOT } from '../../bench/root.js'
import { PAGE, pageText } from './page.js'
import type { Row } from './row.js'
import { ROWS } from './rows.js'
import { Course, type Outcome } from './run.js'
import { Starter } from './world/service.js'
import type { Form } from './world/world.js'

const HELP = `Brings about each fault of the matrix, and checks status, code, time, and that nothing else was hurt.

  npm run matrix -- [--rows 5,6,51] [--busy] [--url URL --pid PID]

--rows N,...  these rows alone
--busy        times are shown and not asserted, for a machine that does other work too
--url URL     a service that runs already, for the rows that need none of their own; it has to be one of this machine, with
              its defaults
--pid PID     its HTTP process
--docs        only writes the table of ${PAGE}

Exit code 1 where a row fails. Needs Linux; the full disk and the read-only one also root.
`

const OPTIONS = {
  rows: { type: 'string' },
  url: { type: 'string' },
  pid: { type: 'string' },
  busy: { type: 'boolean' },
  docs: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

async function main(): Promise<void> {
  const { rows = '', url, pid, busy, docs, help } = parseArgs({ options: OPTIONS }).values
  const wanted = rows.split(',').filter(Boolean).map(Number)
  const unknown = wanted.filter(number => !ROWS.some(row => row.number === number))
  const isWrong = unknown.length > 0 || (url === undefined) !== (pid === undefined)
  if (help || isWrong) {
    process.stdout.write(HELP)
    process.exitCode = isWrong ? 2 : 0
  } else if (docs) writeFileSync(join(ROOT, PAGE), pageText())
  else {
    const given = url === undefined ? null : { url: url.replace(/\/$/, ''), pid: Number(pid) }
    const chosen = wanted.length === 0 ? ROWS : ROWS.filter(({ number }) => wanted.includes(number))
    process.exitCode = (await runAll(chosen, busy ? 'busy' : 'long', given)) ? 0 : 1
  }
}

/** @returns whether none failed */
async function runAll(rows: readonly Row[], form: Form, given: { url: string; pid: number } | null): Promise<boolean> {
  const start = performance.now()
  const graphs = mkdtempSync(join(tmpdir(), 'matrix-graphs-'))
  const course = new Course(form, new Starter(join(ROOT, 'dist'), graphs), given)
  const outcomes: Outcome[] = []
  try {
    for (const row of rows) {
      const outcome = await course.run(row)
      outcomes.push(outcome)
      process.stdout.write(`${line(outcome)}\n`)
    }
  } finally {
    await course.close()
    rmSync(graphs, { recursive: true, force: true })
  }
  const of = (verdict: Outcome['verdict']) => outcomes.filter(one => one.verdict === verdict).length
  const minutes = ((performance.now() - start) / 60_000).toFixed(1)
  const skipped = of('skip') === 0 ? '' : `, ${of('skip')} skipped`
  process.stdout.write(`passed ${of('pass')}/${outcomes.length - of('skip')}${skipped}, in ${minutes} minutes\n`)
  return of('FAIL') === 0
}

function line({ row, verdict, seen, ms }: Outcome): string {
  return `${String(row.number).padStart(2)} ${verdict} ${(ms / 1000).toFixed(1).padStart(6)} s  ${row.fault}: ${seen}`
}

await main()
