/** What a command reads and writes, kept in memory. */
import { Readable } from 'node:stream'
import { runProgram } from '../../../src/cli/program.js'
import type { CommandEntry, World } from '../../../src/cli/spec.js'

/** @param changes Such as `cwd` and `env`; by default the environment is empty and nothing is a terminal. */
export function testWorld(changes: Partial<World> = {}) {
  const out: string[] = []
  const err: string[] = []
  const world: World = {
    env: {},
    stdin: Readable.from([]),
    stdout: { write: text => out.push(String(text)) },
    stderr: { write: text => err.push(String(text)) },
    cwd: process.cwd(),
    signal: new AbortController().signal,
    ...changes,
  }
  return {
    world,
    /** All that was written, which is then forgotten. */
    out: () => out.splice(0).join(''),
    err: () => err.splice(0).join(''),
    run: (commands: readonly CommandEntry[], ...argv: string[]) => runProgram(commands, argv, world),
  }
}
