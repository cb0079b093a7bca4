/** A thing that is started when it is first needed, once for all who need it. A start that fails is tried again. */
export class Lazy<T> {
  #started: Promise<T> | null = null
  #isReady = false
  readonly #start: () => Promise<T>
  readonly #end: (value: T) => Promise<void>

  constructor(start: () => Promise<T>, end: (value: T) => Promise<void>) {
    this.#start = start
    this.#end = end
  }

  /** Whether it has been started, and runs. */
  get isReady(): boolean {
    return this.#isReady
  }

  /**
   * Starts it unless it has been, and waits for it. Who gives up waiting does not stop the start, which others may want.
   * @throws what the start throws, and the signal's reason
   */
  async get(signal: AbortSignal): Promise<T> {
    signal.throwIfAborted()
    this.#started ??= this.#begin()
    return await orAborted(this.#started, signal)
  }

  /** Ends it, if it was started; one that is just starting is waited for. */
  async close(): Promise<void> {
    const started = this.#started
    this.#started = Promise.reject(new Error('closed'))
    this.#started.catch(() => {})
    this.#isReady = false
    const value = await started?.then(
      value => ({ value }),
      () => null,
    )
    if (value) await this.#end(value.value)
  }

  async #begin(): Promise<T> {
    try {
      const value = await this.#start()
      this.#isReady = true
      return value
    } catch (error) {
      this.#started = null
      throw error
    }
  }
}

function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    const done = () => signal.removeEventListener('abort', abort)
    promise.then(resolve, reject).finally(done)
  })
}
