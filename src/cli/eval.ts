/** `npm run eval -- --data DIR`: scores a manifest through the HTTP API. */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { keyToSend } from '../config/access/keys.js'
import { isFailed, type Outcome, type Page } from '../evaluation/outcome.js'
import { CliError, EXIT, runCommand } from './command.js'
import { askPage, readInfo, type Service } from './eval/client.js'
import { compareReports, describeComparison, readReport } from './eval/comparison.js'
import { readPages } from './eval/pages.js'
import { makeReport, toMarkdown } from './eval/report.js'
import { type RunningService, startService } from './eval/service.js'

const HELP = `Scores a folder of questions through the service: answers with and without the crop, boxes, times.

  npm run eval -- --data DIR [--url URL] [--limit N] [--concurrency C] [--out FILE.json]
                  [--target NAME] [--resolution N] [--expand F] [--timeout SECONDS] [--compare-with FILE.json]

--data         a folder with manifest.jsonl, one page a line:
               {"id", "kind", "image", "question", "answers": [...], "box": [x1, y1, x2, y2] in per cent}
--url          of a running service; without it one is started here and stopped afterwards
--limit        only the first N pages
--concurrency  requests at a time (1: times are those of an idle service)
--out          the whole report, every page included, as JSON
--target, --resolution, --expand   options of /answer
--timeout      seconds for one request (120)
--compare-with what --out wrote before: tells how many pages have another box or another answer now

Environment: API_KEY, if the service asks for one; without --url, all that configures the service.
Exit status: 0 all requests answered; 1 some failed, or differ from --compare-with; 2 wrong arguments; 4 a key is missing.
`

/** What the command reads and writes outside of itself; tests pass their own. */
export interface World {
  env: NodeJS.ProcessEnv
  stdout: { write(text: string): unknown }
  stderr: { write(text: string): unknown }
  start(env: NodeJS.ProcessEnv): Promise<RunningService>
}

/**
 * Runs the command.
 * @returns the exit code
 * @throws CliError failed, usage, notAllowed
 */
export async function evaluate(args: string[], world: World): Promise<number> {
  const values = parse(args)
  if (values.help) {
    world.stdout.write(HELP)
    return 0
  }
  if (values.data === undefined) throw new CliError(EXIT.usage, HELP.trimEnd())
  const concurrency = count('--concurrency', values.concurrency)
  const pages = await readPages(values.data, values.limit === undefined ? Infinity : count('--limit', values.limit))
  const before = values['compare-with'] === undefined ? null : await readReport(values['compare-with'])
  const running = values.url === undefined ? await world.start(world.env) : null
  try {
    const service: Service = {
      url: (running?.url ?? values.url ?? '').replace(/\/+$/, ''),
      apiKey: keyToSend(world.env),
      options: requestOptions(values),
      timeoutMs: 1000 * count('--timeout', values.timeout),
    }
    const info = await readInfo(service)
    const outcomes = await askAll(pages, service, concurrency, done =>
      world.stderr.write(`${done} of ${pages.length} pages\n`),
    )
    const { url, options } = service
    const report = makeReport(outcomes, { data: values.data, url, options, concurrency, info })
    world.stdout.write(toMarkdown(report))
    if (values.out !== undefined) await writeFile(values.out, `${JSON.stringify(report, null, 1)}\n`)
    const comparison = before && compareReports(before, report)
    if (comparison) world.stdout.write(describeComparison(comparison, values['compare-with'] ?? ''))
    const differs = comparison && comparison.boxes.length + comparison.answers.length > 0
    return outcomes.some(isFailed) || differs ? EXIT.failed : 0
  } finally {
    await running?.stop()
  }
}

/** Asks all pages, `concurrency` at a time, and tells the progress about 20 times. Outcomes are in the pages' order. */
async function askAll(
  pages: readonly Page[],
  service: Service,
  concurrency: number,
  progress: (done: number) => void,
): Promise<Outcome[]> {
  const outcomes = new Array<Outcome>(pages.length)
  const step = Math.max(1, Math.ceil(pages.length / 20))
  const queue = pages.entries()
  let done = 0
  const work = async () => {
    for (const [index, page] of queue) {
      outcomes[index] = await askPage(page, service)
      done++
      if (done % step === 0 || done === pages.length) progress(done)
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, pages.length) }, work))
  return outcomes
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: 'string' },
        url: { type: 'string' },
        limit: { type: 'string' },
        concurrency: { type: 'string', default: '1' },
        out: { type: 'string' },
        target: { type: 'string' },
        resolution: { type: 'string' },
        expand: { type: 'string' },
        timeout: { type: 'string', default: '120' },
        'compare-with': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new CliError(EXIT.usage, `${(error as Error).message}\n\n${HELP.trimEnd()}`)
  }
}

function requestOptions({ target, resolution, expand }: ReturnType<typeof parse>): Record<string, string> {
  const all = Object.entries({ target, resolution, expand })
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined))
}

function count(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new CliError(EXIT.usage, `${name} is "${text}", but must be a whole number of 1 or more.`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { env, stdout, stderr } = process
  await runCommand(() => evaluate(process.argv.slice(2), { env, stdout, stderr, start: startService }))
}
