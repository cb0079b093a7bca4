import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os'
import { ROOT } from '../root.js'

/** Where and on what revision something was measured. */
export interface Machine {
  cpu: string
  cores: number
  memory_gb: number
  system: string
  node: string
  /** Name and driver; null without one. */
  gpu: string | null
  /** Load average of the last minute when the bench began: what else ran. */
  load_before: number
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memory_gb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    gpu: run('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader']),
    load_before: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  }
}

/** The commit, with `+` where files differ from it; null outside of a git checkout. */
export function revision(): string | null {
  const commit = run('git', ['rev-parse', '--short', 'HEAD'])
  // the bench's own output does not make the measured code another
  const changed = run('git', ['status', '--porcelain', '--', 'src', 'bench', 'trainer', 'models', 'package.json'])
  const code = changed?.split('\n').filter(line => line !== '' && !/bench\/(results\.json|\w+\.md)$/.test(line))
  return commit === null ? null : `${commit}${code?.length ? '+' : ''}`
}

function run(command: string, args: string[]): string | null {
  try {
    return execFileSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return null
  }
}
