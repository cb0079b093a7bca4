/** The trainer's Python: what makes the models of the bench and runs transformers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CliError, EXIT } from '../src/cli/command.js'
import { ROOT } from './root.js'

export const PYTHON = join(ROOT, 'trainer/.venv/bin/python')

/** The reason why Python cannot be run, or null if it can. */
export function pythonMissing(): string | null {
  return existsSync(PYTHON) ? null : 'trainer/.venv is absent; `sh trainer/setup.sh` makes it'
}

/**
 * Runs a command to its end; what it prints goes to our stderr.
 * @throws CliError failed
 */
export async function runToEnd(command: string, args: readonly string[], env = process.env, cwd = ROOT) {
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 2, 2] })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (code !== 0)
    throw new CliError(
      EXIT.failed,
      `${command} ${args.slice(0, 3).join(' ')} ... failed (${signal ?? code}); see above.`,
    )
}
