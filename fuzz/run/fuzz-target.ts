/** Runs libFuzzer on one target in a process of its own. */
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { CACHE, FUZZ } from '../root.js'
import type { Command } from '../setup/jazzer.js'
import type { Target } from '../target.js'
import { targetNamed } from '../targets.js'
import { findOf, NO_STATUS, reasonOf, runsOf, type Status, statusOf } from './status.js'

export interface Outcome extends Status {
  target: string
  /** Wall time, with the start. */
  seconds: number
  /** What ended the run before its time; null: nothing did. */
  problem: string | null
}

export interface RunSettings {
  node: Command
  seconds: number
  say: (line: string) => void
}

/**
 * Milliseconds, by the clock on the wall, after which an input counts as one that never ends. Targets bound the processor's
 * time themselves; on a busy machine an input may have to wait much longer for a core.
 */
const NEVER_ENDS_MS = 120_000
/** Most memory of the process, in MiB. */
const MAX_RSS_MB = 2048

export async function fuzzTarget(name: string, { node, seconds, say }: RunSettings): Promise<Outcome> {
  const target = await targetNamed(name)
  const [corpus, finds, logs] = ['corpus', 'finds', 'logs'].map(kind => `${CACHE}/${kind}`)
  for (const dir of [`${corpus}/${name}`, `${finds}/${name}`, logs ?? '']) mkdirSync(dir, { recursive: true })
  const dictionary = `${CACHE}/${name}.dict`
  writeFileSync(dictionary, dictionaryOf(target.words ?? []))
  const log = createWriteStream(`${logs}/${name}.log`)
  const [program, ...args] = node
  const start = performance.now()
  const child = spawn(
    program,
    [
      ...args,
      `${FUZZ}/.build/fuzz/entry.js`,
      `${corpus}/${name}`,
      `${FUZZ}/seeds/${name}`,
      ...jazzerArgs(target),
      '--',
      `-max_total_time=${seconds}`,
      `-max_len=${target.maxLength}`,
      `-rss_limit_mb=${MAX_RSS_MB}`,
      // how near a comparison comes to be true counts too: a magic number is found within seconds
      '-use_value_profile=1',
      `-dict=${dictionary}`,
      `-artifact_prefix=${finds}/${name}/`,
    ],
    // the settings that targets read name models by paths from the repository
    { cwd: `${FUZZ}/..`, env: { ...process.env, FUZZ_TARGET: name }, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = new Promise<number | string>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'nothing'))
  })
  let status = NO_STATUS
  let [find, reason]: [string | null, string | null] = [null, null]
  for await (const line of createInterface({ input: child.stderr })) {
    log.write(`${line}\n`)
    status = statusOf(line) ?? status
    status = { ...status, executions: runsOf(line) ?? status.executions }
    find ??= findOf(line)
    reason ??= reasonOf(line)
  }
  const code = await ended
  log.end()
  if (find !== null) say(`${name}: ${reason ?? 'a fault'}; npm run fuzz -- --target ${name} --input ${find}`)
  const problem = find ?? (code === 0 ? null : `ended with ${code}; see ${logs}/${name}.log`)
  return { target: name, seconds: Math.round((performance.now() - start) / 1000), ...status, problem }
}

function jazzerArgs({ packages = [], isSync }: Target): string[] {
  const places = ['.build/src/', ...packages.map(name => `node_modules/${name}/`)]
  return [
    ...places.flatMap(place => ['-i', place]),
    // in place of node_modules, which is excluded otherwise
    ...['-e', 'none'],
    `--timeout=${NEVER_ENDS_MS}`,
    // they look for faults of programs that write files and start commands by an input's words
    ...['--disable_bug_detectors', '.*'],
    ...(isSync ? ['--sync'] : []),
  ]
}

/** Words in libFuzzer's format. */
function dictionaryOf(words: readonly string[]): string {
  const escaped = words.map(word => Buffer.from(word).toString('hex').replace(/../g, '\\x$&'))
  return escaped.map(word => `"${word}"\n`).join('')
}
