import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/**
 * Threads for one model run: as many as there are physical cores that this process may use. The two hyper-threads of a
 * core share the vector units, which a matrix product keeps busy; threads beyond a container's CPU quota only take turns.
 */
export function defaultThreads(read: (file: string) => string = file => readFileSync(file, 'utf8')): number {
  const allowed = availableParallelism()
  return Math.max(1, Math.min(physicalCores(read) ?? allowed, quota(read) ?? allowed, allowed))
}

/** Distinct (socket, core) pairs; null if the system does not tell (not Linux, some ARM and virtual machines). */
function physicalCores(read: (file: string) => string): number | null {
  const cores = tryRead(read, '/proc/cpuinfo')
    ?.split('\n\n')
    .map(cpu => [/^physical id\s*:\s*(\d+)/m.exec(cpu)?.[1], /^core id\s*:\s*(\d+)/m.exec(cpu)?.[1]].join())
    .filter(core => /^\d+,\d+$/.test(core))
  return cores?.length ? new Set(cores).size : null
}

/** CPUs of the container's quota (cgroup v2), rounded up; null if there is none. */
function quota(read: (file: string) => string): number | null {
  const [, time, period] = /^(\d+) (\d+)/.exec(tryRead(read, '/sys/fs/cgroup/cpu.max') ?? '') ?? []
  return time && period ? Math.ceil(Number(time) / Number(period)) : null
}

function tryRead(read: (file: string) => string, file: string): string | null {
  try {
    return read(file)
  } catch {
    return null
  }
}
