#!/usr/bin/env node
/** `cropvlm`: the program that the package installs. */
import { CliError, EXIT, runCommand } from './command.js'
import { COMMANDS } from './commands/commands.js'
import { runProgram } from './program.js'

const stop = new AbortController()
// a second signal ends the process at once, as it does by default
process.once('SIGINT', () => stop.abort(new CliError(EXIT.interrupted, 'Stopped.')))
process.once('SIGTERM', () => stop.abort(new CliError(EXIT.terminated, 'Stopped.')))

const { env, stdin, stdout, stderr } = process
// who reads a pipe may have read enough, as `head` does: nobody is left to be told anything
stdout.on('error', error => endIfUnread(error, 0))
stderr.on('error', error => endIfUnread(error, EXIT.failed))

function endIfUnread(error: NodeJS.ErrnoException, exitCode: number): void {
  if (error.code !== 'EPIPE') throw error
  process.exit(exitCode)
}

const world = { env, stdin, stdout, stderr, cwd: process.cwd(), signal: stop.signal }
await runCommand(() => runProgram(COMMANDS, process.argv.slice(2), world), stop.signal)
