import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CropVlmError } from '../../errors.js'

/** A JSON object from a model folder. Nothing is known of its content. */
export type Json = { [key: string]: unknown }

/**
 * The files of one model folder, by their paths inside it.
 * @throws CropVlmError invalid_model, naming the file, from all methods that read one
 */
export class ModelFolder {
  constructor(readonly dir: string) {}

  path(file: string): string {
    return join(this.dir, file)
  }

  has(file: string): boolean {
    return existsSync(this.path(file))
  }

  /** The error for a file that is missing, damaged or unfit; to be thrown by the caller. */
  fail(file: string, problem: string, cause?: unknown): CropVlmError {
    return new CropVlmError('invalid_model', `${this.path(file)}: ${problem}`, cause === undefined ? {} : { cause })
  }

  async text(file: string): Promise<string> {
    try {
      return await readFile(this.path(file), 'utf8')
    } catch (cause) {
      const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      throw this.fail(file, missing ? 'the file is missing from the model folder.' : 'the file cannot be read.', cause)
    }
  }

  async json(file: string): Promise<Json> {
    const text = await this.text(file)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw this.fail(file, 'not valid JSON; fetch or export the model again.', cause)
    }
    if (!isObject(value)) throw this.fail(file, 'not a JSON object; fetch or export the model again.')
    return value
  }

  /** null if there is no such file. */
  async optionalJson(file: string): Promise<Json | null> {
    return this.has(file) ? await this.json(file) : null
  }

  /**
   * The number that `keys` lead to in an object read from `file`.
   * @throws CropVlmError invalid_model unless it is a whole number above 0
   */
  count(file: string, object: Json, ...keys: string[]): number {
    const value = dig(object, ...keys)
    if (!Number.isInteger(value) || (value as number) < 1)
      throw this.fail(file, `\`${keys.join('.')}\` has to be a whole number above 0.`)
    return value as number
  }
}

export function isObject(value: unknown): value is Json {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

/** The value that `keys` lead to, one level after the other; undefined if one of them is not there. */
export function dig(object: unknown, ...keys: string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), object)
}
