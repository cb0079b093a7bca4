/** One target VLM, read from one entry of `TARGETS` (or from the `TARGET_*` variables put in that form). */
import { type TObject, Type } from '@sinclair/typebox'
import type { ValidateFunction } from 'ajv'
import { PRECISION_NAMES, type Precision, parsePrecision } from '../../vlm/folder/graph-names.js'
import {
  ENDPOINT_ENTRY,
  type EndpointAddress,
  type EndpointExtras,
  endpointAddress,
  endpointProblems,
} from '../endpoint/endpoint.js'
import { modelFolder } from '../model-folder.js'
import { Choice, compileSchema, type Described, expectedBy, HOUR_MS, wrongKeys } from '../schema.js'
import type { Env } from '../variables.js'
import { EDGE, PROFILE_ENTRY, type ProfileSettings, type TargetProfile, targetProfile } from './profile.js'

/** An OpenAI-compatible chat-completions endpoint. */
export interface OpenAiTargetConfig extends EndpointAddress, EndpointExtras, TargetProfile {
  readonly kind: 'openai'
  readonly name: string
  /** The endpoint's name of the model. */
  readonly model: string
  readonly apiKey: string | null
  readonly timeoutMs: number
  /** Requests in flight to it at most. */
  readonly concurrency: number
}

/** A model folder that the engine runs beside the cropper. */
export interface LocalTargetConfig {
  readonly kind: 'local'
  /** Also the `model` of a `GenerateJob`. */
  readonly name: string
  /** Absolute. */
  readonly dir: string
  readonly precision: Precision | null
  /** Longest edge in pixels its image processor resizes to; null: the model's own. */
  readonly resolution: number | null
  readonly timeoutMs: number
}

/** The text reader that the engine runs (`local:text`): it answers with a line of the picture. */
export interface ReaderTargetConfig {
  readonly kind: 'reader'
  readonly name: string
  readonly timeoutMs: number
}

export type TargetConfig = OpenAiTargetConfig | LocalTargetConfig | ReaderTargetConfig

export const TIMEOUT = { minimum: 100, maximum: HOUR_MS, unit: 'ms' }
export const CONCURRENCY = { minimum: 1, maximum: 10_000, unit: 'requests' }

const LOCAL = 'local:'
/** It names no folder: one of that name is `local:./text`. */
export const READER = 'local:text'

const NAME = Type.String({
  pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  expected: 'a name of at most 64 letters, digits, ".", "_" and "-"',
  description: "What a request's `target` calls it.",
})
const TIMEOUT_MS = Type.Optional(
  Type.Integer({ ...TIMEOUT, description: 'How long one call may take; TARGET_TIMEOUT_MS.' }),
)
/** An entry whose `model` does not begin with `local:`. */
export const OPENAI_ENTRY = Type.Object(
  {
    name: NAME,
    base_url: Type.String({
      format: 'http-url',
      expected: 'an http or https URL up to and with /v1, like http://localhost:8000/v1',
      description: 'OpenAI-compatible endpoint, up to and with /v1.',
    }),
    model: Type.String({ minLength: 1, remedy: 'give it as a text', description: "The endpoint's name of the model." }),
    api_key: Type.Optional(Type.String({ remedy: 'give it as a text', secret: true, description: 'Bearer token.' })),
    api_key_env: Type.Optional(
      Type.String({
        expected: 'the name of an environment variable',
        secret: true,
        description: 'Environment variable that holds the bearer token.',
      }),
    ),
    timeout_ms: TIMEOUT_MS,
    concurrency: Type.Optional(
      Type.Integer({ ...CONCURRENCY, description: 'Calls in flight at most; TARGET_CONCURRENCY.' }),
    ),
    ...PROFILE_ENTRY,
    ...ENDPOINT_ENTRY,
  },
  { additionalProperties: false, title: 'an OpenAI-compatible target' },
)

/** An entry whose `model` begins with `local:`. */
export const LOCAL_ENTRY = Type.Object(
  {
    name: NAME,
    model: Type.String({
      pattern: `^${LOCAL}.`,
      remedy: 'name a model folder after local:, like local:models/smolvlm-mini',
      description: 'Model folder, after local:.',
    }),
    precision: Type.Optional(
      Choice([...PRECISION_NAMES, 'auto'], {
        description: 'As MODEL_PRECISION.',
      }),
    ),
    resolution: Type.Optional(
      Type.Integer({ ...EDGE, description: "Longest edge its images are resized to; the model's own." }),
    ),
    timeout_ms: TIMEOUT_MS,
  },
  { additionalProperties: false, title: 'a local target' },
)

/** An entry whose `model` is `local:text`. */
export const READER_ENTRY = Type.Object(
  { name: NAME, model: Type.Literal(READER, { description: 'The text reader.' }), timeout_ms: TIMEOUT_MS },
  { additionalProperties: false, title: 'the text reader' },
)

const checkReader = compileSchema(READER_ENTRY)
const checkOpenAi = compileSchema(OPENAI_ENTRY)
const checkLocal = compileSchema(LOCAL_ENTRY)

export interface EntryContext {
  /** The name a message gives to one key of the entry, or to the entry. */
  label: (key?: string) => string
  /** What the entry leaves out. */
  settings: ProfileSettings & { timeoutMs: number; concurrency: number }
  env: Env
  problems: string[]
}

export function isLocal(model: unknown): model is string {
  return typeof model === 'string' && model.startsWith(LOCAL)
}

/** The target that an entry describes, frozen, in a list; an empty list where `problems` has been added to. */
export function fromEntry(value: unknown, context: EntryContext): TargetConfig[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.problems.push(`${context.label()} must be an object with a name and a model.`)
    return []
  }
  const entry = Object.fromEntries(Object.entries(value).filter(([, given]) => given !== null))
  const target = targetOf(entry, context)
  return target ? [Object.freeze(target)] : []
}

function targetOf(entry: Record<string, unknown>, context: EntryContext): TargetConfig | null {
  if (entry.model === READER) return readerTarget(entry, context)
  return isLocal(entry.model) ? localTarget(entry, context) : openAiTarget(entry, context)
}

function readerTarget(entry: Record<string, unknown>, context: EntryContext): ReaderTargetConfig | null {
  if (!checked(checkReader, READER_ENTRY, entry, context)) return null
  return { kind: 'reader', name: entry.name, timeoutMs: entry.timeout_ms ?? context.settings.timeoutMs }
}

function localTarget(entry: Record<string, unknown>, context: EntryContext): LocalTargetConfig | null {
  if (!checked(checkLocal, LOCAL_ENTRY, entry, context)) return null
  return {
    kind: 'local',
    name: entry.name,
    dir: modelFolder(entry.model.slice(LOCAL.length)),
    // auto is no precision
    precision: parsePrecision(entry.precision ?? 'auto') ?? null,
    resolution: entry.resolution ?? null,
    timeoutMs: entry.timeout_ms ?? context.settings.timeoutMs,
  }
}

function openAiTarget(entry: Record<string, unknown>, context: EntryContext): OpenAiTargetConfig | null {
  const { settings, problems } = context
  const before = problems.length
  const apiKey = readKey(entry, context)
  const url = parseUrl(entry.base_url)
  // a password in the URL would end up in logs; it is not shown here either
  if (url?.username || url?.password)
    problems.push(`${context.label('base_url')} holds a user or password; use the API key instead.`)
  if (!checked(checkOpenAi, OPENAI_ENTRY, entry, context) || problems.length > before) return null
  for (const [key, sentences] of Object.entries(endpointProblems(entry, apiKey)))
    problems.push(...sentences.map(sentence => `${context.label(key)} ${sentence}`))
  if (problems.length > before) return null
  return {
    kind: 'openai',
    name: entry.name,
    ...endpointAddress(entry.base_url, entry.query),
    model: entry.model,
    apiKey,
    headers: entry.headers ?? {},
    extraBody: entry.extra_body ?? {},
    timeoutMs: entry.timeout_ms ?? settings.timeoutMs,
    concurrency: entry.concurrency ?? settings.concurrency,
    ...targetProfile(entry, settings, entry.model),
  }
}

/** Whether an entry fits its schema; each key that does not is one of `problems`. */
function checked<T>(
  check: ValidateFunction<T>,
  schema: TObject,
  entry: Record<string, unknown>,
  { label, problems }: EntryContext,
): entry is Record<string, unknown> & T {
  if (check(entry)) return true
  const wrong = wrongKeys(check)
  const known = Object.keys(schema.properties)
  for (const key of Object.keys(entry).filter(key => !known.includes(key)))
    problems.push(`${label(key)} is not an option of ${schema.title}; those are ${known.join(', ')}.`)
  for (const [key, property] of Object.entries<Described>(schema.properties).filter(([key]) => wrong.has(key)))
    problems.push(`${label(key)} ${shown(entry[key], property)}; ${property.remedy ?? `give ${expectedBy(property)}`}.`)
  return false
}

/** What a message says of a wrong value; what may be a secret is not shown. */
function shown(value: unknown, { secret }: Described): string {
  if (value === undefined) return 'is missing'
  const text = String(JSON.stringify(value))
  // an "@" may follow a password, a "?" come before a key
  return secret || /[@?]/.test(text) ? 'is wrong' : `is ${text}`
}

/** The bearer token, given as it is or as the name of an environment variable. Never part of a message. */
function readKey(
  { api_key: key, api_key_env: variable }: Record<string, unknown>,
  context: EntryContext,
): string | null {
  const { label, env, problems } = context
  if (variable === undefined) return typeof key === 'string' ? key : null
  if (key !== undefined) problems.push(`${label('api_key')} and api_key_env are both given; keep one.`)
  if (typeof variable !== 'string') return null
  const found = env[variable]
  if (found) return found
  // what is no variable's name may be the key itself
  const what = /^[A-Z][A-Z0-9_]*$/.test(variable) ? `is "${variable}"` : 'is wrong'
  problems.push(`${label('api_key_env')} ${what}; name an environment variable that is set.`)
  return null
}

function parseUrl(text: unknown): URL | null {
  return typeof text === 'string' && URL.canParse(text) ? new URL(text) : null
}
