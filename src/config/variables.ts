/**
 * Strict readers for the text of one environment variable. A reader gives the value, or undefined where the text is
 * not what `expected` says; nothing is guessed, rounded or cut short.
 */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Names of precisions as model folders on the hub suffix their graphs; fp32 has no suffix. */
export const PRECISIONS = ['fp32', 'fp16', 'int8', 'uint8', 'q4', 'q4f16', 'bnb4', 'quantized'] as const
export type Precision = (typeof PRECISIONS)[number]

/** One option of the service, documented where it is declared (see `config.ts`). */
export interface Option<T> {
  /** Environment variable. */
  readonly env: string
  readonly default: T
  /** The default as the documentation prints it. */
  readonly defaultText: string
  /** `ms`, `bytes`, `pixels`... or null for a text or a choice. */
  readonly unit: string | null
  readonly meaning: string
  /** Never printed, in logs or in messages. */
  readonly secret: boolean
  /** What a valid text looks like, to follow "must be". */
  readonly expected: string
  parse(text: string): T | undefined
}

interface Extras {
  unit?: string
  secret?: boolean
  defaultText?: string
}

function option<T>(
  env: string,
  value: T,
  meaning: string,
  expected: string,
  parse: (text: string) => T | undefined,
  { unit, secret = false, defaultText = String(value) }: Extras = {},
): Option<T> {
  return { env, default: value, defaultText, unit: unit ?? null, meaning, secret, expected, parse }
}

export function text(env: string, value: string, meaning: string): Option<string> {
  return option(env, value, meaning, 'a text', found => found)
}

export function optionalText(env: string, meaning: string, extras: { secret?: boolean } = {}): Option<string | null> {
  return option<string | null>(env, null, meaning, 'a text', found => found, { ...extras, defaultText: 'unset' })
}

/** A folder or file; relative to the working directory, but for the default, which lies in the project. */
export function path(env: string, value: URL, defaultText: string, meaning: string): Option<string> {
  return option(env, fileURLToPath(value), meaning, 'a path', found => resolve(found), { defaultText })
}

/** A folder, or null where the text is `off`; relative to the working directory. */
export function folderOrOff(env: string, value: string, defaultText: string, meaning: string): Option<string | null> {
  const parse = (found: string) => (found === 'off' ? null : resolve(found))
  return option<string | null>(env, value, meaning, 'a path, or off', parse, { defaultText })
}

/** One of a list of words. */
export function choice<const T extends string>(
  env: string,
  value: NoInfer<T>,
  values: readonly T[],
  meaning: string,
): Option<T> {
  return option<T>(env, value, meaning, oneOf(values), found => values.find(known => known === found))
}

/** One of a list of words, or null where the variable is not set. */
export function optionalChoice<const T extends string>(
  env: string,
  values: readonly T[],
  defaultText: string,
  meaning: string,
): Option<T | null> {
  const parse = (found: string) => values.find(known => known === found)
  return option<T | null>(env, null, meaning, oneOf(values), parse, { defaultText })
}

export function flag(env: string, value: boolean, meaning: string): Option<boolean> {
  const known: Record<string, boolean> = { on: true, off: false, true: true, false: false }
  const parse = (found: string) => (Object.hasOwn(known, found) ? known[found] : undefined)
  return option(env, value, meaning, 'on or off', parse, { defaultText: value ? 'on' : 'off' })
}

/** A whole number in decimal digits, within both bounds. */
export function integer(
  env: string,
  value: number,
  range: { min: number; max: number; unit?: string },
  meaning: string,
): Option<number> {
  return option(env, value, meaning, wholeNumber(range), found => parseInteger(found, range), range)
}

/** A whole number, or null: by default, or because the text is `word`. */
export function integerOr(
  env: string,
  word: string,
  value: number | null,
  range: { min: number; max: number; unit?: string },
  meaning: string,
): Option<number | null> {
  const parse = (found: string) => (found === word ? null : parseInteger(found, range))
  const expected = `${wholeNumber(range)}, or ${word}`
  return option<number | null>(env, value, meaning, expected, parse, { ...range, defaultText: String(value ?? word) })
}

function parseInteger(found: string, { min, max }: { min: number; max: number }): number | undefined {
  if (!/^\d{1,15}$/.test(found)) return undefined
  const number = Number(found)
  return number >= min && number <= max ? number : undefined
}

function wholeNumber({ min, max, unit }: { min: number; max: number; unit?: string }): string {
  return `a whole number${unit ? ` of ${unit}` : ''} from ${min} to ${max}, in digits alone`
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}
