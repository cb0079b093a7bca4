/** The command line of `npm run soak`. */
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { CliError, EXIT } from '../../src/cli/command.js'
import { ROOT } from '../root.js'
import { CROPPERS, type CropperName } from './settings.js'

export const HELP = `Runs a service of its own under good, bad, slow and aborted requests, kills of its engine and
targets that fail, for as long as asked, and says whether it is steady: every reply one that its request may have, memory
and descriptors flat.

  npm run soak -- [--hours H | --minutes M] [options]

--hours H          how long (1)
--minutes M        the same in minutes
--cropper NAME     text (the default of the service: it reads the page) or onnx (models/cropvlm-mini)
--callers N        who send one request after another (4)
--fill N           new files that an engine has to have answered about before memory is measured (600)
--seed N           of what chance chooses (1)
--collect          has V8 collect the garbage of every thread before memory is measured at rest: what then grows is held by the
                   program. Without it garbage counts as well, and when V8 last looked for it is chance. The HTTP process has
                   the engine's allocator then (jemalloc, where it is installed): glibc's keeps some MiB more or less of what
                   is free each time
--csv FILE         where the samples go (bench/.cache/soak-NAME.csv); the service's log goes beside them, as .log

It exits with 1 where a reply is wrong, the engine ends by itself, descriptors get more, or memory grows by more than
1 MiB an hour beyond what noise explains. A run that is too short to tell says NOTHING FOUND instead of STEADY, and how long is
needed.
`

export interface Options {
  seconds: number
  cropper: CropperName
  callers: number
  fillFiles: number
  seed: number
  collects: boolean
  csv: string
  serviceLog: string
}

/**
 * Reads the command line.
 * @returns null where help is asked for
 * @throws CliError usage
 */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args)
  if (values.help) return null
  const { hours, minutes, cropper = 'text' } = values
  if (hours !== undefined && minutes !== undefined) throw usage('give --hours or --minutes, not both')
  const seconds = minutes === undefined ? 3600 * positive('--hours', hours ?? '1') : 60 * positive('--minutes', minutes)
  const known = CROPPERS.find(name => name === cropper)
  if (known === undefined) throw usage(`--cropper is "${cropper}"; known are ${CROPPERS.join(', ')}`)
  const csv = values.csv ?? join(ROOT, `bench/.cache/soak-${known}.csv`)
  return {
    seconds,
    cropper: known,
    callers: whole('--callers', values.callers ?? '4'),
    fillFiles: whole('--fill', values.fill ?? '600'),
    seed: whole('--seed', values.seed ?? '1'),
    collects: values.collect,
    csv,
    serviceLog: `${csv.replace(/\.csv$/, '')}.log`,
  }
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const
  const options = { hours: text, minutes: text, cropper: text, callers: text, fill: text, seed: text, csv: text }
  try {
    const flags = {
      help: { type: 'boolean', short: 'h', default: false },
      collect: { type: 'boolean', default: false },
    } as const
    return parseArgs({ args: [...args], options: { ...options, ...flags } }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (!(number > 0 && number <= 10_000)) throw usage(`${name} is "${value}"; a number above 0 is wanted`)
  return number
}

function whole(name: string, value: string): number {
  const number = positive(name, value)
  if (!Number.isInteger(number)) throw usage(`${name} is "${value}"; a whole number above 0 is wanted`)
  return number
}

function usage(problem: string): CliError {
  return new CliError(EXIT.usage, `${problem}; see \`npm run soak -- --help\`.`)
}
