/** `npm run fuzz`: fuzzes each target for some time, then prints what that was, and what it found. */
import { cpSync, readFileSync } from 'node:fs'
import { runCommand } from '../src/cli/command.js'
import { bounded } from './bounded.js'
import { HELP, type Options, readOptions } from './options.js'
import { FUZZ } from './root.js'
import { fuzzTarget, type Outcome } from './run/fuzz-target.js'
import { table } from './run/table.js'
import { installJazzer } from './setup/jazzer.js'
import { targetNamed } from './targets.js'

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === null) process.stdout.write(HELP)
  else if (options.input !== null) await callOnce(options.targets[0] ?? '', options.input)
  else return await fuzzAll(options)
  return 0
}

async function callOnce(name: string, file: string): Promise<void> {
  await bounded(await targetNamed(name), readFileSync(file))
  process.stdout.write(`${name} reads ${file} without a fault\n`)
}

async function fuzzAll({ targets, seconds, jobs }: Options): Promise<number> {
  const node = await installJazzer(say)
  const waiting = [...targets]
  const outcomes: Outcome[] = []
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const outcome = await fuzzTarget(name, { node, seconds, say })
      outcomes.push(outcome)
      say(outcome.problem === null ? `${name}: ${outcome.seconds} s` : `${name}: ${outcome.problem}`)
    }
  }
  await Promise.all(Array.from({ length: Math.min(jobs, targets.length) }, work))
  outcomes.sort((one, other) => (one.target < other.target ? -1 : 1))
  process.stdout.write(`\n${table(outcomes)}`)
  return outcomes.some(({ problem }) => problem !== null) ? 1 : 0
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

// the app of the target `multipart` serves its page from there
cpSync(`${FUZZ}/../src/page`, `${FUZZ}/.build/src/page`, { recursive: true })
await runCommand(() => main(process.argv.slice(2)))
