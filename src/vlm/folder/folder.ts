import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isTooDeep, MAX_LEVELS } from '../../contract/nesting.js'
import { CropVlmError } from '../../errors.js'
import { confined } from './confined.js'

/** Largest file of settings, in bytes; those of real models have at most some kilobytes. */
const MAX_SETTINGS_BYTES = 4 * 2 ** 20

/** A JSON object from a model folder. Nothing is known of its content. */
export type Json = { [key: string]: unknown }

/** What to do about any of these errors. */
export const REMEDY = 'Fetch or export the model again, or use another one.'

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

  /**
   * The error for a file that is missing, damaged or unfit; to be thrown by the caller.
   * @param problem A sentence, or a list of lines that begins with a new one; what to do is said behind it.
   */
  fail(file: string, problem: string, cause?: unknown): CropVlmError {
    const message = `${this.path(file)}: ${problem}${problem.startsWith('\n') ? '\n' : ' '}${REMEDY}`
    return new CropVlmError('invalid_model', message, cause === undefined ? {} : { cause })
  }

  /** Where a file really is, once it is known to be a regular one within the folder. */
  async locate(file: string, maxBytes = Number.POSITIVE_INFINITY): Promise<string> {
    const found = confined(this.dir, file)
    if ('problem' in found) throw this.fail(file, `the file ${found.problem}`, found.cause)
    if (found.bytes > maxBytes)
      throw this.fail(file, `the file has ${found.bytes} bytes, and at most ${maxBytes} are read; no model needs more.`)
    return found.path
  }

  async text(file: string, maxBytes = MAX_SETTINGS_BYTES): Promise<string> {
    const path = await this.locate(file, maxBytes)
    try {
      return await readFile(path, 'utf8')
    } catch (cause) {
      throw this.fail(file, 'the file cannot be read.', cause)
    }
  }

  async json(file: string, maxBytes = MAX_SETTINGS_BYTES): Promise<Json> {
    const text = await this.text(file, maxBytes)
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (cause) {
      throw this.fail(file, 'not valid JSON.', cause)
    }
    if (!isObject(value)) throw this.fail(file, 'not a JSON object.')
    if (isTooDeep(value))
      throw this.fail(file, `lists and objects nest over ${MAX_LEVELS} levels deep in it; no model needs more.`)
    return value
  }

  /** null if there is no such file. */
  async optionalJson(file: string): Promise<Json | null> {
    return this.has(file) ? await this.json(file) : null
  }

  /**
   * The number that `keys` lead to in an object read from `file`.
   * @param most The largest that makes sense. A larger one would have memory taken for it.
   * @throws CropVlmError invalid_model unless it is a whole number from 1 to `most`
   */
  count(file: string, object: Json, most: number, ...keys: string[]): number {
    const value = dig(object, ...keys)
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most)
      throw this.fail(
        file,
        `\`${keys.join('.')}\` is ${JSON.stringify(value) ?? 'missing'}, but has to be a whole number from 1 to ${most}.`,
      )
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
