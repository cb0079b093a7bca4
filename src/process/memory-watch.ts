import { heldBytes } from './held-memory.js'

/**
 * Looks again and again how much memory another process holds. Only another one can: a run of the native library blocks its
 * own process.
 */
export class MemoryWatch {
  readonly #pid: () => number | undefined
  readonly #limitBytes: number
  readonly #onOver: (bytes: number) => void
  #timer: NodeJS.Timeout | undefined

  /**
   * @param pid Of the process, asked at each look: a process in a sandbox has another id once the sandbox stands.
   * @param onOver Called once, with what the process holds, as soon as that is more than `limitBytes`.
   */
  constructor(pid: () => number | undefined, limitBytes: number, everyMs: number, onOver: (bytes: number) => void) {
    this.#pid = pid
    this.#limitBytes = limitBytes
    this.#onOver = onOver
    this.every(everyMs)
  }

  /** How often it looks from now on, in milliseconds. */
  every(ms: number): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#look(), ms)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    const pid = this.#pid()
    const bytes = pid === undefined ? null : heldBytes(pid)
    if (bytes === null || bytes <= this.#limitBytes) return
    this.stop()
    this.#onOver(bytes)
  }
}

/** What both processes say of one that held too much, as in "... and was killed". */
export function tooMuchMemory(bytes: number, limitBytes: number): string {
  return `took ${mib(bytes)} of memory, more than MODEL_MEMORY_LIMIT (${mib(limitBytes)}),`
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`
}

/** How often a process is looked at while it loads graphs, and later, in milliseconds. Memory fills at some GB a second. */
export const LOOK_MS = { loading: 50, running: 500 } as const
