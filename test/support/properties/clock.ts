/** A clock and timers that stand still until they are told to go on: hours of an engine's life pass in a millisecond. */

/** A delay that is longer counts as 1 ms, as Node's own timers have it. */
const MAX_DELAY = 2 ** 31 - 1

class FakeTimer {
  isRefed = true

  constructor(
    readonly run: () => void,
    public due: number,
    /** Milliseconds after which it runs again; null: never. */
    readonly every: number | null,
    readonly order: number,
  ) {}

  unref(): this {
    this.isRefed = false
    return this
  }

  ref(): this {
    this.isRefed = true
    return this
  }
}

const REAL = { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, now: Date.now }

/** Lets everything run that waits for a promise and for no timer. */
export function settled(): Promise<void> {
  return new Promise(resolve => void REAL.setImmediate(resolve))
}

/** Takes the place of this process's timers, of `Date.now` and of `performance.now`, until it is put back. */
export class FakeClock {
  /** Unix milliseconds. */
  now = 1_700_000_000_000
  readonly #start = this.now
  readonly #timers = new Set<FakeTimer>()
  #order = 0

  constructor() {
    const add = (run: () => void, ms: number, repeats: boolean) => {
      const delay = ms >= 1 && ms <= MAX_DELAY ? ms : 1
      const timer = new FakeTimer(run, this.now + delay, repeats ? delay : null, this.#order++)
      this.#timers.add(timer)
      return timer
    }
    const remove = (timer: unknown) => void this.#timers.delete(timer as FakeTimer)
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => add(run, ms, false),
      setInterval: (run: () => void, ms = 0) => add(run, ms, true),
      clearTimeout: remove,
      clearInterval: remove,
    })
    Date.now = () => this.now
    performance.now = () => this.now - this.#start
  }

  /** Timers for which a process would go on. */
  get pending(): number {
    return [...this.#timers].filter(({ isRefed }) => isRefed).length
  }

  /** Time passes, and each timer runs when it is due. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms
    for (let timer = this.#next(end); timer; timer = this.#next(end)) {
      this.now = Math.max(this.now, timer.due)
      if (timer.every === null) this.#timers.delete(timer)
      else timer.due = this.now + timer.every
      timer.run()
      await settled()
    }
    this.now = Math.max(this.now, end)
  }

  /** Time passes while this process does something else: timers that are due meanwhile run later. */
  block(ms: number): void {
    this.now += ms
  }

  restore(): void {
    const { now, setImmediate: _, ...timers } = REAL
    Object.assign(globalThis, timers)
    Date.now = now
    Reflect.deleteProperty(performance, 'now')
  }

  /** Of the timers that are due by then the first. */
  #next(end: number): FakeTimer | undefined {
    let first: FakeTimer | undefined
    for (const timer of this.#timers) {
      if (timer.due > end) continue
      if (!first || timer.due < first.due || (timer.due === first.due && timer.order < first.order)) first = timer
    }
    return first
  }
}
