/** Scores a manifest through the HTTP API. */
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { isFailed, type Outcome, type Page } from '../../evaluation/outcome.js'
import { CliError, EXIT } from '../command.js'
import { connect } from '../connect.js'
import { environment } from '../environment.js'
import { count } from '../program.js'
import type { World } from '../spec.js'
import { type Asking, askPage, readInfo } from './client.js'
import { compareReports, describeComparison, readReport } from './comparison.js'
import { readPages } from './pages.js'
import { makeReport, toMarkdown } from './report.js'
import type { RunningService } from './service.js'

/** What `cropvlm eval` was given. */
export interface EvalOptions {
  data: string | undefined
  url: string | undefined
  limit: string | undefined
  concurrency: string
  out: string | undefined
  target: string | undefined
  resolution: string | undefined
  expand: string | undefined
  timeout: string
  'compare-with': string | undefined
}

/** Starts a service in a process of its own. */
export type Start = (env: Readonly<Record<string, string | undefined>>) => Promise<RunningService>

/**
 * Runs the command. Without `url` the service is a process of its own, asked over a port, as a client would: in this
 * process it would share a thread with the reading of files and of replies, and the times would be of both.
 * @returns the exit code
 * @throws CliError failed, usage, notAllowed
 */
export async function evaluate(options: EvalOptions, world: World, start: Start): Promise<number> {
  if (options.data === undefined)
    throw new CliError(EXIT.usage, 'Name the folder with manifest.jsonl: cropvlm eval --data DIR')
  const data = resolve(world.cwd, options.data)
  const concurrency = count('--concurrency', options.concurrency)
  const timeoutMs = 1000 * count('--timeout', options.timeout)
  const pages = await readPages(data, options.limit === undefined ? Infinity : count('--limit', options.limit))
  const earlier = options['compare-with']
  const before = earlier === undefined ? null : await readReport(resolve(world.cwd, earlier))
  const env = options.url === undefined ? await environment(world) : world.env
  const running = options.url === undefined ? await start(env) : null
  try {
    const { send, url } = await connect(running?.url ?? options.url, timeoutMs, { ...world, env })
    const address = url ?? ''
    const fields = requestFields(options)
    const asking: Asking = { send, fields, timeoutMs, signal: world.signal }
    const info = await readInfo(asking, address)
    const outcomes = await askAll(pages, asking, concurrency, done =>
      world.stderr.write(`${done} of ${pages.length} pages\n`),
    )
    world.signal.throwIfAborted()
    const report = makeReport(outcomes, { data: options.data, url: address, options: fields, concurrency, info })
    world.stdout.write(toMarkdown(report))
    if (options.out !== undefined)
      await writeFile(resolve(world.cwd, options.out), `${JSON.stringify(report, null, 1)}\n`)
    const comparison = before && compareReports(before, report)
    if (comparison) world.stdout.write(describeComparison(comparison, earlier ?? ''))
    const differs = comparison && comparison.boxes.length + comparison.answers.length > 0
    return outcomes.some(isFailed) || differs ? EXIT.failed : 0
  } finally {
    await running?.stop()
  }
}

/** Asks all pages, `concurrency` at a time, and tells the progress about 20 times. Outcomes are in the pages' order. */
async function askAll(
  pages: readonly Page[],
  asking: Asking,
  concurrency: number,
  progress: (done: number) => void,
): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(pages.length)
  const step = Math.max(1, Math.ceil(pages.length / 20))
  const queue = pages.entries()
  let done = 0
  const work = async () => {
    for (const [index, page] of queue) {
      if (asking.signal.aborted) return
      outcomes[index] = await askPage(page, asking)
      done++
      if (done % step === 0 || done === pages.length) progress(done)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, pages.length) }, work))
  return outcomes
}

function requestFields({ target, resolution, expand }: EvalOptions): Record<string, string> {
  const all = Object.entries({ target, resolution, expand })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
