import type { Logger } from 'pino'
import { statusBytes } from '../../../process/proc-status.js'
import { PROVIDERS, type ProviderName } from '../../../vlm/onnx/providers.js'

type Pids = readonly (number | null)[]

/**
 * How much memory the engine's processes take, by the index of their pid in the list that is given. Processes that are
 * not found are left out.
 */
export class ProcessMemory {
  readonly #log: Logger
  /** Whether the log says already that the system does not tell. */
  #told = false

  constructor(log: Logger) {
    this.#log = log
  }

  /** Resident bytes; pages that processes share count in each of them. Empty where there is no /proc. */
  resident(pids: Pids): Map<number, number> {
    return byIndex(pids, pid => statusBytes(pid, 'VmRSS')[0] ?? undefined)
  }

  /**
   * Bytes of the memory of the device on which a provider runs models. Empty if the device has no memory of its own,
   * and if the system does not tell, which is logged once.
   */
  async device(pids: Pids, provider: ProviderName): Promise<Map<number, number>> {
    const used = await this.#deviceBytes(provider)
    return byIndex(pids, pid => used.get(pid))
  }

  async #deviceBytes(provider: ProviderName): Promise<ReadonlyMap<number, number>> {
    try {
      return (await PROVIDERS[provider].memoryBytes?.()) ?? new Map()
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (!this.#told) this.#log.warn({ reason }, 'nvidia-smi cannot be run: no cropvlm_gpu_memory_bytes')
      this.#told = true
      return new Map()
    }
  }
}

function byIndex(pids: Pids, bytes: (pid: number) => number | undefined): Map<number, number> {
  const found = pids.map((pid, index) => [index, pid === null ? undefined : bytes(pid)] as const)
  return new Map(found.filter((entry): entry is [number, number] => entry[1] !== undefined))
}
