/** A command in this process, with streams and a signal of the test's own. */
import { Readable } from 'node:stream'
import { runProgram } from '../../../src/cli/program.js'
import type { CommandSpec } from '../../../src/cli/spec.js'

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

export async function runCommandLine(
  command: CommandSpec,
  args: readonly string[],
  {
    cwd,
    env = {},
    stdin = '',
    signal = new AbortController().signal,
  }: { cwd: string; env?: Record<string, string>; stdin?: string | Readable; signal?: AbortSignal },
): Promise<Ran> {
  const [stdout, stderr]: [string[], string[]] = [[], []]
  const to = (texts: string[]) => ({ write: (text: string | Uint8Array) => texts.push(String(text)) })
  const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin
  const world = { env, stdin: input, stdout: to(stdout), stderr: to(stderr), cwd, signal }
  const code = await runProgram([command], [command.name, ...args], world)
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}
