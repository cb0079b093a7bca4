import { heldBytes } from '../../../process/held-memory.js'
import { MemoryWatch } from '../../../process/memory-watch.js'

/**
 * What a chat template or a tokenizer may take, the memory on top of what the process had: real ones take some megabytes and
 * milliseconds. A list that is doubled is found at up to three times as much, between two looks.
 */
const LIMITS = {
  bytes: 64 * 2 ** 20,
  /** The process ends what it runs after a second of processor time, if V8 lets it; on a busy machine that is several. */
  ms: 20_000,
} as const
/** How often it is looked at, in milliseconds: a template can fill a gigabyte within a second. */
const LOOK_MS = 10

/**
 * Watches an engine process while it runs what a stranger wrote. Within that process nothing can: a list that is doubled thirty
 * times ends all of it, and a text that is searched for in another one holds it for minutes.
 */
export class Trial {
  readonly #memory: MemoryWatch | null
  readonly #timer: NodeJS.Timeout

  /**
   * @param pid Of the process, asked at each look.
   * @param onOver Called once where it takes too much, with how, as in "took longer than 20 s".
   */
  constructor(
    pid: () => number | undefined,
    onOver: (how: string) => void,
    limits: { bytes: number; ms: number } = LIMITS,
  ) {
    const now = pid()
    const before = now === undefined ? null : heldBytes(now)
    const over = (how: string) => {
      this.end()
      onOver(how)
    }
    const mib = Math.round(limits.bytes / 2 ** 20)
    this.#memory =
      before === null
        ? null
        : new MemoryWatch(pid, before + limits.bytes, LOOK_MS, () => over(`took more than ${mib} MiB of memory`))
    this.#timer = setTimeout(() => over(`took longer than ${limits.ms / 1000} s`), limits.ms)
    this.#timer.unref()
  }

  end(): void {
    this.#memory?.stop()
    clearTimeout(this.#timer)
  }
}
