/** Peak GPU memory of each process, as `nvidia-smi` shows it: onnxruntime-node 1.30 does not tell its own. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const EVERY_MS = 200
const QUERY = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits']

export class GpuMemory {
  readonly #peaks = new Map<number, number>()
  #timer: NodeJS.Timeout | null = null

  /**
   * Reads the memory several times a second from now on.
   * @throws Error: there is no nvidia-smi
   */
  async start(): Promise<void> {
    await this.#look()
    const next = () => {
      this.#timer = setTimeout(
        () =>
          this.#look()
            .catch(() => {})
            .then(() => this.#timer && next()),
        EVERY_MS,
      )
    }
    next()
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
  }

  /**
   * The largest use so far of all the processes together, in MiB. null where none was seen: a container with PIDs of
   * its own does not see those that nvidia-smi names.
   */
  peakMb(pids: readonly number[]): number | null {
    const seen = pids.map(pid => this.#peaks.get(pid)).filter(peak => peak !== undefined)
    return seen.length === 0 ? null : seen.reduce((sum, peak) => sum + peak, 0)
  }

  async #look(): Promise<void> {
    const { stdout } = await promisify(execFile)('nvidia-smi', QUERY)
    for (const [pid, mb] of readApps(stdout)) this.#peaks.set(pid, Math.max(mb, this.#peaks.get(pid) ?? 0))
  }
}

/** Lines of `pid, MiB`. */
export function readApps(csv: string): [pid: number, mb: number][] {
  const lines = csv.split('\n').map(line => line.split(',').map(Number))
  return lines.flatMap(([pid, mb]): [number, number][] =>
    Number.isFinite(pid) && Number.isFinite(mb) ? [[pid as number, mb as number]] : [],
  )
}
