import { readdirSync, readFileSync } from 'node:fs'

/** How long the threads of a process have been ready to run and got no core, where the system tells (Linux, `schedstat`). */
export class RunDelay {
  /** By thread, in milliseconds since it began. */
  #known = new Map<string, number>()

  /** @param proc The system's folder of processes. */
  constructor(
    private readonly pid: number,
    private readonly proc = '/proc',
  ) {}

  /**
   * In milliseconds since this was asked last (at first: since the process began), of the thread that waited longest in this
   * time. 0 where the system does not tell.
   */
  sinceLastMs(): number {
    const before = this.#known
    this.#known = delaysOf(`${this.proc}/${this.pid}/task`)
    return Math.max(0, ...[...this.#known].map(([thread, ms]) => ms - (before.get(thread) ?? 0)))
  }
}

function delaysOf(tasks: string): Map<string, number> {
  try {
    return new Map(readdirSync(tasks).map(thread => [thread, delayOf(`${tasks}/${thread}/schedstat`)]))
  } catch {
    return new Map()
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
