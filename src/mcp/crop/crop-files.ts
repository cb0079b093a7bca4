/** The crops as files, for hosts that show a model no picture of a tool. */
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Picture } from '../../image/picture.js'
import { type Root, rootAt } from '../source/roots.js'

/** Most files in the folder of its own; the oldest goes when one more comes. */
const MAX_FILES = 200

export class CropFiles {
  /** Where a person wants the files; null: a folder of its own. */
  readonly #out: string | null
  /** The folder of its own, once it has been made. */
  #own: Promise<string> | null = null
  readonly #written: string[] = []

  /** @param out Where files are to be kept; null: in a folder of its own, which goes when the server ends. */
  constructor(out: string | null) {
    this.#out = out
  }

  /** The folder of its own, which nobody else can read; empty where there is none yet. */
  async own(): Promise<Root[]> {
    const path = await this.#own?.catch(() => undefined)
    const root = path === undefined ? null : await rootAt(path)
    return root === null ? [] : [root]
  }

  /**
   * Writes a picture into a new file, with a name that cannot be guessed.
   * @returns its path
   */
  async write({ bytes, mediaType }: Picture): Promise<string> {
    const folder = await this.#folder()
    const path = join(folder, `zoom-${randomUUID()}.${mediaType === 'image/png' ? 'png' : 'jpg'}`)
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 })
    if (this.#out === null) await this.#remember(path)
    return path
  }

  /** Removes the folder of its own. Files that a person wanted elsewhere stay. */
  async close(): Promise<void> {
    for (const { given } of await this.own()) await rm(given, { recursive: true, force: true })
  }

  async #folder(): Promise<string> {
    if (this.#out !== null) {
      await mkdir(this.#out, { recursive: true, mode: 0o700 })
      return this.#out
    }
    // mode 0700
    this.#own ??= mkdtemp(join(tmpdir(), 'cropvlm-mcp-'))
    try {
      return await this.#own
    } catch (error) {
      this.#own = null
      throw error
    }
  }

  async #remember(path: string): Promise<void> {
    this.#written.push(path)
    const oldest = this.#written.length > MAX_FILES ? this.#written.shift() : undefined
    if (oldest !== undefined) await rm(oldest, { force: true })
  }
}
