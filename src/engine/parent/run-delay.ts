import { readdirSync, readFileSync } from 'node:fs'

/**
 * How long the threads of a process have been ready to run and got no core, in milliseconds since its start: that of the
 * thread that waited longest. 0 where the system does not tell (only Linux does, in `schedstat`).
 */
export function runDelayMs(pid: number): number {
  try {
    const tasks = `/proc/${pid}/task`
    return Math.max(0, ...readdirSync(tasks).map(thread => delayOf(`${tasks}/${thread}/schedstat`)))
  } catch {
    return 0
  }
}

/** Of one thread. Its three numbers are nanoseconds on a core, nanoseconds waiting for one, and time slices. */
function delayOf(file: string): number {
  try {
    return Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6
  } catch {
    // the thread has ended meanwhile
    return 0
  }
}
