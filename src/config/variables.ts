/**
 * Variables of the environment by their schemas. A text is read as the schema's type, then the value is checked by the
 * schema; nothing is guessed, rounded or cut short.
 */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Static, type TObject, type TProperties, Type } from '@sinclair/typebox'
import { modelFolder } from './model-folder.js'
import { compileSchema, type Described, expectedBy, typesOf, wordsOf, wrongKeys } from './schema.js'

export type Env = Readonly<Record<string, string | undefined>>

/** The settings that variables give, by the variables' schemas. */
export type Settings<T extends TProperties> = Readonly<Static<TObject<T>>>

/** One variable, for the documentation. */
export interface VariableDoc {
  env: string
  default: unknown
  /** The default as it can be written; `unset` where nothing that can be written means the same. */
  defaultText: string
  unit: string | null
  meaning: string
  secret: boolean
  /** What a valid text looks like. */
  expected: string
}

const FLAGS: Readonly<Record<string, boolean>> = { on: true, off: false, true: true, false: false }

/**
 * Makes a reader of these variables. An unset or blank one gives its default. Each wrong one adds a message to
 * `problems`, and its value is left out.
 */
export function variableReader<T extends TProperties>(variables: T) {
  const check = compileSchema(Type.Object(variables))
  return (env: Env, problems: string[]): Partial<Settings<T>> => {
    const texts = Object.entries<Described>(variables).map(
      ([name, variable]) => [name, variable, env[variable.env ?? '']?.trim()] as const,
    )
    const values = Object.fromEntries(
      texts.map(([name, variable, text]) => [name, text ? fromText(variable, text) : unfilled(variable, text)]),
    )
    if (check(values)) return values as Settings<T>
    const wrong = wrongKeys(check)
    for (const [name, variable, text] of texts.filter(([name]) => wrong.has(name))) {
      problems.push(problemOf(variable, text))
      delete values[name]
    }
    return values as Partial<Settings<T>>
  }
}

/** The value of a variable that is unset, or set but blank. */
function unfilled({ blankIsNull, default: value }: Described, text: string | undefined): unknown {
  return blankIsNull && text === '' ? null : value
}

function problemOf(variable: Described, text: string | undefined): string {
  const { env, secret, defaultText, expected } = describe(variable)
  const shown = secret ? 'wrong (its value is not shown)' : JSON.stringify(text)
  return `${env} is ${shown}; set it to ${expected}, or unset it (default: ${defaultText}).`
}

/** The value that a text stands for; a text that stands for none is left as it is, for the schema to refuse. */
function fromText(variable: Described, text: string): unknown {
  if (text === variable.word) return null
  switch (typesOf(variable)[0]) {
    case 'integer':
      return /^\d{1,15}$/.test(text) ? Number(text) : text
    case 'number':
      return /^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
    case 'boolean':
      return Object.hasOwn(FLAGS, text) ? FLAGS[text] : text
    default: {
      const { aliases = {}, path } = variable
      if (path === 'model') return modelFolder(text)
      if (path) return resolve(text.startsWith('~/') ? join(homedir(), text.slice(2)) : text)
      return Object.hasOwn(aliases, text) ? aliases[text] : text
    }
  }
}

/** What the documentation says of a variable. */
export function describe(variable: Described): VariableDoc {
  const { env = '', unit = null, description = '', secret = false } = variable
  return {
    env,
    default: variable.default,
    defaultText: variable.defaultText ?? defaultText(variable),
    unit,
    meaning: description,
    secret,
    expected: expectedText(variable),
  }
}

function defaultText({ default: value, word = 'unset' }: Described): string {
  if (value === null) return word
  return typeof value === 'boolean' ? (value ? 'on' : 'off') : String(value)
}

function expectedText(variable: Described): string {
  const { enum: values, word } = variable
  if (values) return oneOf([...wordsOf(variable), ...(word ? [word] : [])])
  const type = typesOf(variable)[0]
  const expected = type === 'boolean' ? 'on or off' : expectedBy(variable)
  return `${expected}${type === 'integer' ? ', in digits alone' : ''}${word ? `, or ${word}` : ''}`
}

function oneOf(words: readonly string[]): string {
  return words.length === 1 ? `${words[0]}` : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
