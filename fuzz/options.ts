/** The command line of `npm run fuzz`. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { CliError, EXIT } from '../src/cli/command.js'
import { TARGET_NAMES } from './targets.js'

export const HELP = `Feeds made-up bytes to what reads strangers' bytes, guided by the branches that they reach (Jazzer.js, libFuzzer).

  npm run fuzz -- [--seconds N] [--target NAME] [--jobs N]
  npm run fuzz -- --target NAME --input FILE

--seconds N     of each target (30)
--target NAME   only this one; may be given several times. There are
                ${TARGET_NAMES.join(', ')}
--jobs N        targets at once (as many as there are processors)
--input FILE    calls the target with this file and nothing else: to look at a find

Starts from fuzz/seeds/ and from what earlier runs have kept in fuzz/.cache/corpus/. Logs are in fuzz/.cache/logs/. An input that
shows a fault ends its target and is kept in fuzz/.cache/finds/; the exit code is then 1.

On first use Jazzer.js is installed into fuzz/jazzer. Where the system's C library is too old for it, on Debian, a newer one is
fetched by apt and put beside it, into fuzz/.cache/glibc, for the fuzzers alone.
`

export interface Options {
  seconds: number
  targets: readonly string[]
  jobs: number
  /** A file to call the one target with; null: fuzz. */
  input: string | null
}

/**
 * Reads the command line.
 * @returns null where help is asked for
 * @throws CliError usage
 */
export function readOptions(args: readonly string[]): Options | null {
  const values = parse(args)
  if (values.help) return null
  const targets = values.target ?? TARGET_NAMES
  const unknown = targets.find(name => !TARGET_NAMES.includes(name))
  if (unknown !== undefined) throw usage(`--target has "${unknown}"; there are ${TARGET_NAMES.join(', ')}`)
  const input = values.input ?? null
  if (input !== null && targets.length !== 1) throw usage('--input needs the one --target that is to read it')
  return {
    seconds: count('--seconds', values.seconds),
    targets: [...new Set(targets)],
    jobs: count('--jobs', values.jobs ?? String(availableParallelism())),
    input,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        seconds: { type: 'string', default: '30' },
        target: { type: 'string', multiple: true },
        jobs: { type: 'string' },
        input: { type: 'string' },
      },
    }).values
  } catch (error) {
    throw usage((error as Error).message)
  }
}

function count(option: string, value: string): number {
  const number = Number(value)
  if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number > 0) return number
  throw usage(`${option} has "${value}", but must have a whole number of 1 or more`)
}

function usage(problem: string): CliError {
  return new CliError(EXIT.usage, `${problem}.\n\n${HELP.trimEnd()}`)
}
