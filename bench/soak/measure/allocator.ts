/** What the engine's jemalloc has given out and not yet got back, as it tells on the engine's stderr and so in the service's log. */
import { closeSync, openSync, readSync } from 'node:fs'
import { JEMALLOC } from '../../../src/engine/parent/process/allocator.js'

/** MiB in use in a process. null where nothing was told, as where jemalloc is not installed. */
export interface InUse {
  /** Objects of up to 14 KiB, of which jemalloc cuts many from a page: what a leak of the program's own objects shows in. */
  small: number | null
  /** All larger ones: tensors, pixels, caches. */
  large: number | null
}

/** Bytes given out between one table and the next: of 30 lines each, some ten a minute. */
export const EVERY_BYTES = 16 * 2 ** 30
/** jemalloc(3), opt.stats_print_opts: of the table, leave out everything but the sums over all arenas. */
const SUMS_ALONE = 'gdablxeh'
const MIB = 2 ** 20
/** A line of the table, as the service logs it. */
const ROW = /"msg":"(small|large): +(\d+) /g

/** Makes an engine's jemalloc write its table, on top of what it is set to otherwise. */
export function tellingAllocator(own: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const settings = own.MALLOC_CONF ?? JEMALLOC.MALLOC_CONF
  return { MALLOC_CONF: `${settings},stats_interval:${EVERY_BYTES},stats_interval_opts:${SUMS_ALONE}` }
}

/** Follows a service's log. */
export class AllocatorLog {
  #offset = 0
  #line = ''
  #last: InUse = { small: null, large: null }

  constructor(private readonly file: string) {}

  /** The last table so far. */
  read(): InUse {
    const lines = (this.#line + this.#more()).split('\n')
    this.#line = lines.pop() ?? ''
    for (const [, name, bytes] of lines.join('\n').matchAll(ROW))
      this.#last = { ...this.#last, [name as keyof InUse]: Number(bytes) / MIB }
    return this.#last
  }

  /** Forgets the last table: it was of a process that has ended. */
  forget(): void {
    this.read()
    this.#last = { small: null, large: null }
  }

  /** What was written since. */
  #more(): string {
    const log = openSync(this.file, 'r')
    try {
      const parts: Buffer[] = []
      for (;;) {
        const part = Buffer.alloc(2 ** 16)
        const size = readSync(log, part, 0, part.length, this.#offset)
        if (size === 0) return Buffer.concat(parts).toString('latin1')
        this.#offset += size
        parts.push(part.subarray(0, size))
      }
    } finally {
      closeSync(log)
    }
  }
}
