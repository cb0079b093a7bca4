#!/usr/bin/env -S node --enable-source-maps
/** `cropvlm`: the program that the package installs. */
import { runCommand } from './command.js'
import { COMMANDS } from './commands/commands.js'
import { runProgram } from './program.js'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))

const { env, stdin, stdout, stderr } = process
const world = { env, stdin, stdout, stderr, cwd: process.cwd(), signal: stop.signal }
await runCommand(() => runProgram(COMMANDS, process.argv.slice(2), world))
