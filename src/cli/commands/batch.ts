/** `cropvlm batch`: asks about many images, and goes on where an earlier run ended. */

import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openCrops } from '../batch/asking/crops.js'
import { readLimits } from '../batch/asking/limits.js'
import { type Clock, Retrying, ServiceLost } from '../batch/asking/retrying.js'
import { openInput } from '../batch/input/open-input.js'
import { hashRun, REQUEST_OPTIONS, ROW_OPTIONS, requestOptions } from '../batch/options.js'
import { COLUMNS, type FormatName } from '../batch/output/formats.js'
import { fileOutput, type Output, stdoutOutput } from '../batch/output/open-output.js'
import { showProgress } from '../batch/progress.js'
import { type Counts, runBatch } from '../batch/run.js'
import { CliError, EXIT } from '../command.js'
import { connect, SERVICE_OPTIONS } from '../connect.js'
import { count } from '../program.js'
import { command, type World } from '../spec.js'

/** As shells tell that a program was interrupted. */
const INTERRUPTED = 130

const CLOCK: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  random: Math.random,
}

export const batch = command({
  name: 'batch',
  summary: 'Asks about many images, and goes on where an earlier run ended.',
  details: `INPUT is a JSONL file, a folder of images (all below it, with one question), or - for JSONL on stdin. A row is {"image": path, data URL or link, "question": "...", "id": "..."}; paths begin beside the file. It may have options of the route as the API names them; all other keys are copied to the output, renamed input_... where the output has a key of that name. The manifest.jsonl of a data set of the trainer is such a file.

The output has one row for each row of the input, as they are completed; "index" is the place in the input, from 0. With --out, the same command goes on after whatever ended it: rows that are there are not asked again. An image file is known by its path. A row that cannot be answered has an "error" with code and message, and the exit status is 1.

A CSV has the columns ${Object.keys(COLUMNS).join(', ')}.`,
  arguments: [
    { name: 'INPUT', meaning: 'A JSONL file, a folder of images, or - for stdin.' },
    { name: 'question', meaning: 'For the rows that have none of their own.', optional: true },
  ],
  options: {
    route: { value: 'ROUTE', choices: ['crop', 'answer'], default: 'crop', meaning: 'What each row is asked of.' },
    out: { value: 'FILE', meaning: 'The output; without it stdout, which no later run can go on with.' },
    format: {
      value: 'FORMAT',
      choices: ['jsonl', 'csv'],
      meaning: 'Of the output. Default: csv where --out ends in .csv, else jsonl.',
    },
    crops: { value: 'DIR', meaning: 'Writes the crops into this folder; rows name their files.' },
    images: { value: 'DIR', meaning: 'Where relative paths of images begin. Default: beside INPUT.' },
    concurrency: { value: 'N', default: '8', meaning: 'Rows that are asked at a time.' },
    'retry-errors': { meaning: 'Asks the rows again that have an error.' },
    patience: {
      value: 'SECONDS',
      default: '120',
      meaning: 'How long a service that refuses everything, or cannot be reached, is waited for.',
    },
    ...REQUEST_OPTIONS,
    ...SERVICE_OPTIONS,
  },
  examples: [
    ['batch pages/ "What is the total?" --out totals.csv', 'Boxes for all images of a folder.'],
    [
      'batch questions.jsonl --route answer --compare --out answers.jsonl --url http://127.0.0.1:8080',
      'Answers with and without the crop, from a running service.',
    ],
  ],
  async run(args, values, world) {
    const [input = '', question = null] = args
    const route = values.route as 'crop' | 'answer'
    const [concurrency, patience, timeout] = (['concurrency', 'patience', 'timeout'] as const).map(name =>
      count(`--${name}`, values[name]),
    ) as [number, number, number]
    const options = requestOptions(route, values)
    const run = hashRun({ route, question, options, crops: values.crops !== undefined })
    const stop = new AbortController()
    const interrupt = () => stop.abort(world.signal.reason)
    if (world.signal.aborted) interrupt()
    world.signal.addEventListener('abort', interrupt)
    const settings = { question, images: values.images ?? null, crops: values.crops ?? null }
    const rows = await openInput(input, { ...settings, optionNames: ROW_OPTIONS[route] }, world, stop.signal)
    const output = await openOutput(values, run, world)
    try {
      const crops = values.crops === undefined ? null : await openCrops(values.crops, world.cwd)
      const connection = await connect(values.url, 1000 * timeout, world)
      try {
        const maxBodyBytes = await readLimits(connection.client, values.url ?? '')
        const progress = showProgress(world.stderr)
        const warn = once(warning => progress.note(warning))
        const retrying = new Retrying(1000 * patience, stop.signal, CLOCK)
        const ask = { client: connection.client, route, options, run, crops, retrying, maxBodyBytes, warn }
        const counts = await runBatch(rows, output, ask, { concurrency, stop, progress }).finally(progress.end)
        return conclude(counts, output, values.out ?? 'stdout', world)
      } finally {
        await connection.close()
      }
    } catch (error) {
      if (!(error instanceof ServiceLost)) throw error
      throw lost(error, values.out, values.url)
    } finally {
      world.signal.removeEventListener('abort', interrupt)
      await output.close()
    }
  },
})

async function openOutput(
  values: { out: string | undefined; format: string | undefined; 'retry-errors': boolean },
  run: string,
  world: World,
): Promise<Output> {
  const { out, 'retry-errors': retryErrors } = values
  const format = (values.format ?? (out?.endsWith('.csv') ? 'csv' : 'jsonl')) as FormatName
  if (out !== undefined) return fileOutput(resolve(world.cwd, out), { format, run, retryErrors })
  if (retryErrors) throw new CliError(EXIT.usage, '--retry-errors needs --out, the output of an earlier run.')
  return stdoutOutput(format, world.stdout)
}

/** Tells what was done. @returns the exit code */
function conclude(counts: Counts, { done, before }: Output, name: string, world: World): number {
  const say = (line: string) => world.stderr.write(`${line}\n`)
  const isStopped = world.signal.aborted
  const failed = [...counts.errors.values()].reduce((sum, number) => sum + number, 0)
  const earlier = counts.skipped > 0 ? `, ${counts.skipped} were there already` : ''
  say(`${counts.answered + failed} rows written to ${name}${earlier}.`)
  if (done.changedAt !== null) say(`The input was changed since the earlier run, from its row ${done.changedAt} on.`)
  if (done.left > 0 && !isStopped) say(`${done.left} rows of ${name} belong to no row of the input now.`)
  const all = failed + before.failed
  if (all > 0) {
    const kinds = [...counts.errors].map(([code, number]) => `${number} ${code}`).join(', ')
    const remedy = name === 'stdout' ? '' : ' --retry-errors asks them again.'
    say(`${all} rows have an error${kinds === '' ? '' : ` (now ${kinds})`}.${remedy}`)
  }
  if (isStopped) {
    say(name === 'stdout' ? 'Stopped.' : 'Stopped. The same command goes on from here.')
    const { reason } = world.signal
    return reason instanceof CliError ? reason.exitCode : INTERRUPTED
  }
  return all > 0 ? EXIT.failed : 0
}

function lost({ verdict, cause }: ServiceLost, out: string | undefined, url: string | undefined): CliError {
  if (cause.status === 401) return new CliError(EXIT.notAllowed, `${url} asks for a key; set API_KEY to it.`)
  const goOn = out === undefined ? '' : ` What is done is in ${out}; the same command goes on from there.`
  const remedy = verdict === 'gone' ? ' Start the service again.' : ''
  return new CliError(EXIT.failed, `${cause.message}${remedy}${goOn}`, cause)
}

/** Calls it once for each text. There are few: each model has its own. */
function once(tell: (text: string) => void): (text: string) => void {
  const told = new Set<string>()
  return text => {
    if (told.has(text)) return
    told.add(text)
    tell(text)
  }
}
