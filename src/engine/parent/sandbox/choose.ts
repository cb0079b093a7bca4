/** Whether the engine's processes run in a sandbox on this machine. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CropVlmError } from '../../../errors.js'
import type { EngineOptions } from '../../options.js'
import { bubblewrap, graphicsCards } from './bubblewrap.js'

export interface Sandbox {
  /** What confines the processes; null: nothing does. */
  name: 'bubblewrap' | null
  /** What it forbids, or why there is none, as a sentence. */
  reason: string
  /** The command that starts a program in it, to which the program is added; empty where there is none. */
  command: readonly string[]
}

const CONFINED =
  'An engine process reaches no network and no other process, and writes nowhere but to GRAPH_CACHE_DIR and to a temporary folder of its own.'

/** How long the trial may take, in milliseconds. */
const TRIAL_MS = 10_000

/**
 * Tries the sandbox out, which takes some milliseconds, where `mode` does not say `off`.
 * @param cards Devices of graphics cards.
 * @throws CropVlmError invalid_config where `mode` says `on` and there can be none: why, and what to do
 */
export function chooseSandbox({ sandbox: mode, module, worker }: EngineOptions, cards = graphicsCards()): Sandbox {
  if (mode === 'off') return { name: null, reason: 'ENGINE_SANDBOX is off.', command: [] }
  if (mode === 'auto' && module.pathname.endsWith('.ts'))
    return { name: null, reason: 'The service runs from TypeScript, whose compiler writes files.', command: [] }
  if (mode === 'auto' && worker.executionProvider !== 'cpu' && cards.length > 0)
    return {
      name: null,
      reason: `There is a graphics card (${cards[0]}), with which the sandbox has not been tried; ENGINE_SANDBOX=on has one made.`,
      command: [],
    }
  const models = [...(worker.cropper ? [worker.cropper] : []), ...worker.targets].map(({ dir }) => dir)
  const readable = [fileURLToPath(module), process.execPath, process.cwd(), ...models]
  const writable = worker.graphCacheDir === null ? [] : [worker.graphCacheDir]
  writable.forEach(make)
  const command = bubblewrap({ readable, writable, gpu: worker.executionProvider !== 'cpu' })
  const problem = problemOf(command, [fileURLToPath(module), process.execPath])
  if (problem === null) return { name: 'bubblewrap', reason: CONFINED, command }
  if (mode === 'on')
    throw new CropVlmError(
      'invalid_config',
      `ENGINE_SANDBOX=on, but ${problem} Mend that, or set ENGINE_SANDBOX=auto to run without a sandbox where there can be none (docs/operate/hardening.md).`,
    )
  return { name: null, reason: `${problem[0]?.toUpperCase()}${problem.slice(1)}`, command: [] }
}

/** Why a program cannot be started so, or cannot read the files, as a sentence; null if it can. */
function problemOf([program = '', ...args]: readonly string[], files: readonly string[]): string | null {
  if (process.platform !== 'linux') return 'bubblewrap is for Linux alone.'
  const { status, signal, stderr, error } = spawnSync(program, [...args, 'ls', '-dL', ...files], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: TRIAL_MS,
  })
  if (status === 0) return null
  // what a shell says of a command that is not there
  if (status === 127) return 'bwrap is not installed; install bubblewrap (apt-get install bubblewrap).'
  const said = stderr?.trim().split('\n').at(-1) || error?.message || `it ended with ${signal ?? `exit code ${status}`}`
  return /namespace|uid map|Permission denied|Operation not permitted/i.test(said)
    ? `bwrap may not make a sandbox here (${said}): this system gives this user no namespaces, as is so in most containers, which are a sandbox themselves.`
    : `bwrap cannot make a sandbox here (${said}).`
}

/** Makes a folder, so that it can be written in the sandbox. The engine tells where it cannot. */
function make(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch {}
}
