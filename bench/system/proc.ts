/** Memory and processor time of running processes, from Linux's /proc. On other systems every figure is null. */
import { readdirSync, readFileSync } from 'node:fs'

export interface Shares {
  /** Resident, shared pages counted whole. */
  rss_mb: number
  /** Resident, each shared page divided by the number of its users. */
  pss_mb: number
  /** What nobody else uses: what the process costs on top of those that run already. */
  private_mb: number
}

/** Largest resident set so far (`VmHWM`) of all the processes together, in MiB; null where one does not tell. */
export function peakRssMb(pids: readonly number[]): number | null {
  const all = sum(pids.map(pid => kilobytes(readOrNull(`/proc/${pid}/status`), 'VmHWM')))
  return all === null ? null : all / 1024
}

/** What is resident now (`VmRSS`), in MiB; null where the process does not tell. */
export function residentMb(pid: number): number | null {
  const resident = kilobytes(readOrNull(`/proc/${pid}/status`), 'VmRSS')
  return resident === null ? null : resident / 1024
}

/** How many descriptors a process has open: files, sockets, pipes; null where it does not tell. */
export function descriptors(pid: number): number | null {
  return readdirOrEmpty(`/proc/${pid}/fd`).length || null
}

/** Processor time of all the processes together since their start, in seconds. */
export function cpuSeconds(pids: readonly number[]): number | null {
  const ticks = pids.map(pid => {
    const [user, system] = fields(pid)?.slice(11, 13).map(Number) ?? []
    return user === undefined || system === undefined ? null : user + system
  })
  const all = sum(ticks)
  // USER_HZ, which Linux has fixed at 100 for what it shows
  return all === null ? null : all / 100
}

export function memoryShares(pid: number): Shares | null {
  const rollup = readOrNull(`/proc/${pid}/smaps_rollup`)
  const [rss, pss, clean, dirty] = ['Rss', 'Pss', 'Private_Clean', 'Private_Dirty'].map(name => kilobytes(rollup, name))
  if (rss == null || pss == null || clean == null || dirty == null) return null
  return { rss_mb: rss / 1024, pss_mb: pss / 1024, private_mb: (clean + dirty) / 1024 }
}

/** The process's children that run now. */
export function children(pid: number): number[] {
  const all = readdirOrEmpty('/proc').filter(name => /^\d+$/.test(name))
  return all.map(Number).filter(child => Number(fields(child)?.[1]) === pid)
}

/** The process and all below it. */
export function processTree(pid: number): number[] {
  return [pid, ...children(pid).flatMap(processTree)]
}

/** Of /proc/PID/stat what follows the name, which may hold spaces: state, parent, ... */
function fields(pid: number): string[] | null {
  const stat = readOrNull(`/proc/${pid}/stat`)
  return stat === null ? null : stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function kilobytes(text: string | null, name: string): number | null {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text ?? '') ?? []
  return value === undefined ? null : Number(value)
}

function sum(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((all, value) => (all === null || value === null ? null : all + value), 0)
}

function readOrNull(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function readdirOrEmpty(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
