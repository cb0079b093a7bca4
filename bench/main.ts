/** `npm run bench`: measures the parts asked for, then writes results.json and RESULTS.md. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError, EXIT, runCommand } from '../src/cli/command.js'
import { feasible } from './engines/start.js'
import { HELP, type Options, readOptions } from './options.js'
import { measurePart } from './parts/part.js'
import { render } from './report/render.js'
import { earlierOr, emptyResults, type Results, readResults, writeResults } from './results.js'
import { machine, revision } from './system/machine.js'

async function bench(args: readonly string[]): Promise<number> {
  const wanted = readOptions(args)
  if (wanted === null) process.stdout.write(HELP)
  else if (wanted.render) await renderAgain(wanted.out)
  else await measure(wanted.models.includes('full') ? wanted : withoutPython(wanted))
  return 0
}

async function measure(options: Options): Promise<void> {
  const { out } = options
  const about = { machine: machine(), revision: revision(), ours: options.ours, device: options.device }
  let results = await earlierOr(emptyResults(about), out)
  for (const part of options.parts) {
    const start = performance.now()
    say(`== ${part}`)
    const found = await measurePart(part, options, say)
    const seconds = (performance.now() - start) / 1000
    const parts = { ...results.parts, [part]: { date: new Date().toISOString(), revision: about.revision, seconds } }
    results = { ...results, ...found, parts }
    // after each part, so that a later one that fails loses nothing
    await writeResults(results, out)
    await writeReport(results, out)
  }
  say(`wrote ${join(out, 'RESULTS.md')}`)
}

/** The bundled models in the precisions that they have, where nothing can make others. */
function withoutPython(options: Options): Options {
  const precisions = feasible(options.precisions)
  return { ...options, precisions, ours: precisions.includes(options.ours) ? options.ours : (precisions[0] ?? 'fp32') }
}

async function renderAgain(out: string): Promise<void> {
  const results = await readResults(out)
  if (results === null)
    throw new CliError(
      EXIT.usage,
      `${out} holds no results.json of this version; measure first, or name it with --out.`,
    )
  await writeReport(results, out)
}

async function writeReport(results: Results, out: string): Promise<void> {
  const notes = await readFile(join(out, 'NOTES.md'), 'utf8').catch(() => null)
  await writeFile(join(out, 'RESULTS.md'), render(results, notes))
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

await runCommand(() => bench(process.argv.slice(2)))
