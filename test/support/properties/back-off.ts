/** When a process should be started again, told apart from the code that does it. */
import type { Logger } from 'pino'
import type { FakeClock } from './clock.js'

interface Worker {
  /** Deaths since a job was answered last. */
  deaths: number
  /** When the next process should start, in the clock's milliseconds; null while there is one. */
  nextAt: number | null
}

interface Delays {
  firstDelayMs: number
  maxDelayMs: number
}

/** Follows each process's starts and ends, and notes the starts that come too early. */
export class BackOff {
  readonly faults: string[] = []
  readonly #workers = new Map<number, Worker>()
  readonly #workerOf = new Map<number, Worker>()

  constructor(
    private readonly clock: FakeClock,
    private readonly delays: Delays,
    private readonly onFailedStart: () => void,
  ) {}

  /** The workers whose next process is overdue. */
  get overdue(): number {
    return [...this.#workers.values()].filter(({ nextAt }) => nextAt !== null && nextAt < this.clock.now).length
  }

  answered(pid: number): void {
    const worker = this.#workerOf.get(pid)
    if (worker) worker.deaths = 0
  }

  ended(pid: number): void {
    this.#died(this.#workerOf.get(pid))
  }

  /** A logger that tells this which worker starts which process: nothing else says so. */
  log(number = 0): Logger {
    const info = ({ engine }: { engine?: number }, message?: string) => {
      if (message?.startsWith('engine process started') && engine) this.#started(number, engine)
    }
    const error = (_: object, message?: string) => {
      if (!message?.includes('could not be started')) return
      this.onFailedStart()
      this.#died(this.#worker(number))
    }
    const child = (bindings: { process?: number }) => this.log(bindings.process ?? number)
    return { info, error, child, warn: () => {}, debug: () => {} } as unknown as Logger
  }

  #worker(number: number): Worker {
    const known = this.#workers.get(number) ?? { deaths: 0, nextAt: null }
    this.#workers.set(number, known)
    return known
  }

  #started(number: number, pid: number): void {
    const worker = this.#worker(number)
    if (worker.nextAt !== null && this.clock.now < worker.nextAt)
      this.faults.push(`process ${number} starts ${worker.nextAt - this.clock.now} ms too early`)
    worker.nextAt = null
    this.#workerOf.set(pid, worker)
  }

  #died(worker: Worker | undefined): void {
    if (!worker) return
    worker.deaths++
    const { firstDelayMs, maxDelayMs } = this.delays
    const delay = worker.deaths === 1 ? 0 : Math.min(maxDelayMs, firstDelayMs * 2 ** (worker.deaths - 2))
    worker.nextAt = this.clock.now + delay
  }
}
