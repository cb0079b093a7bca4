/** Installs Jazzer.js, by its lock file, and finds a node that can load it. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { CliError, EXIT } from '../../src/cli/command.js'
import { FUZZ } from '../root.js'
import { newerGlibc } from './glibc.js'

const FOLDER = `${FUZZ}/jazzer`
const CLI = `${FOLDER}/node_modules/@jazzer.js/core/dist/cli.js`

/** A command that Jazzer.js' own arguments follow. */
export type Command = readonly [program: string, ...args: string[]]

/** @throws CliError failed: it cannot be installed, or its binary cannot be loaded here */
export async function installJazzer(say: (line: string) => void): Promise<Command> {
  if (!existsSync(CLI)) {
    say('installing Jazzer.js into fuzz/jazzer')
    const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FOLDER, encoding: 'utf8' })
    if (status !== 0)
      throw new CliError(
        EXIT.failed,
        `\`npm ci\` in fuzz/jazzer failed, and without it nothing can be fuzzed:\n${stderr}`,
      )
  }
  const own: Command = [process.execPath]
  const problem = loadProblem(own)
  if (problem === null) return [...own, CLI]
  if (!/GLIBC(XX)?_[\d.]+' not found/.test(problem))
    throw new CliError(EXIT.failed, `Jazzer.js cannot be loaded on ${process.platform} ${process.arch}:\n${problem}`)
  const newer: Command = [...(await newerGlibc(say)), process.execPath]
  const still = loadProblem(newer)
  if (still !== null)
    throw new CliError(EXIT.failed, `Jazzer.js cannot be loaded with a newer C library either:\n${still}`)
  return [...newer, CLI]
}

function loadProblem([program, ...args]: Command): string | null {
  const run = spawnSync(program, [...args, '-e', "require('@jazzer.js/core')"], { cwd: FOLDER, encoding: 'utf8' })
  return run.status === 0 ? null : (run.error?.message ?? run.stderr.trim())
}
