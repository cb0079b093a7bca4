import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Logger } from 'pino'

type Pids = readonly (number | null)[]

/** A scrape waits no longer for it. */
const NVIDIA_SMI_MS = 5000
const KIB = 1024
const MIB = 1024 * KIB

/** What the engine's processes take, by the place of their pid in the list. Processes that are not found are left out. */
export class ProcessMemory {
  readonly #log: Logger
  #told = false

  constructor(log: Logger) {
    this.#log = log
  }

  /** Resident bytes, shared pages in each; empty where there is no /proc. */
  resident(pids: Pids): Map<number, number> {
    return byPlace(pids, pid => {
      const kib = /^VmRSS:\s*(\d+) kB$/m.exec(tryRead(`/proc/${pid}/status`))?.[1]
      return kib === undefined ? undefined : Number(kib) * KIB
    })
  }

  /**
   * Bytes on all GPUs together, as nvidia-smi tells; empty, and said once in the log, where it cannot be run. In a
   * container it knows pids of the host: it tells nothing of ours unless the container shares the host's.
   */
  async gpu(pids: Pids): Promise<Map<number, number>> {
    const used = await this.#computeApps()
    return byPlace(pids, pid => used.get(pid))
  }

  async #computeApps(): Promise<Map<number, number>> {
    const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits']
    try {
      const { stdout } = await promisify(execFile)('nvidia-smi', query, { timeout: NVIDIA_SMI_MS })
      const used = new Map<number, number>()
      // one line a process and GPU; the memory is "[N/A]" where the driver does not tell it
      for (const [, pid, mib] of stdout.matchAll(/^\s*(\d+)\s*,\s*(\d+)\s*$/gm))
        used.set(Number(pid), (used.get(Number(pid)) ?? 0) + Number(mib) * MIB)
      return used
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!this.#told) this.#log.warn({ reason }, 'nvidia-smi cannot be run: no cropvlm_gpu_memory_bytes')
      this.#told = true
      return new Map()
    }
  }
}

function byPlace(pids: Pids, bytes: (pid: number) => number | undefined): Map<number, number> {
  const found = pids.map((pid, place) => [place, pid === null ? undefined : bytes(pid)] as const)
  return new Map(found.filter((entry): entry is [number, number] => entry[1] !== undefined))
}

/** Empty where there is no such file: not Linux, or the process has just gone. */
function tryRead(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
