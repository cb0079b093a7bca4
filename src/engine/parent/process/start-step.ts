import { basename } from 'node:path'

/** What an engine process is doing while it starts: the last that it said. */
export class StartStep {
  #last: { doing: string; file: string; since: number } | null = null

  set(doing: string, file: string): void {
    this.#last = { doing, file, since: Date.now() }
  }

  clear(): void {
    this.#last = null
  }

  /** For the log and for who starts the service, to follow "it was": the whole path. null where it has said nothing. */
  get text(): string | null {
    return this.#last && `${this.#last.doing} ${this.#last.file}`
  }

  /** For anybody who may ask: without the folders of this machine, with the seconds that it has taken. */
  get shown(): string | null {
    if (!this.#last) return null
    const { doing, file, since } = this.#last
    return `${doing} ${basename(file)}, for ${Math.round((Date.now() - since) / 1000)} s`
  }
}
