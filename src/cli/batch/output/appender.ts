/** Writes texts one after the other; those that arrive while one is written are written together. */
export class Appender {
  readonly #write: (text: string) => Promise<unknown>
  #waiting: string[] = []
  #writing: Promise<void> | null = null

  constructor(write: (text: string) => Promise<unknown>) {
    this.#write = write
  }

  /** Resolves once the text is written. @throws what `write` throws */
  append(text: string): Promise<void> {
    this.#waiting.push(text)
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = null
    })
    return this.#writing
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) await this.#write(this.#waiting.splice(0).join(''))
  }
}
