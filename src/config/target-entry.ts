/** One target VLM, read from one entry of `TARGETS` (or from the `TARGET_*` variables put in that form). */
import { resolve } from 'node:path'
import { PRECISIONS, type Precision } from './variables.js'

/** An OpenAI-compatible chat-completions endpoint. */
export interface OpenAiTargetConfig {
  readonly kind: 'openai'
  readonly name: string
  /** Up to and with `/v1`. */
  readonly baseUrl: string
  /** The endpoint's name of the model. */
  readonly model: string
  readonly apiKey: string | null
  readonly timeoutMs: number
  /** Requests in flight to it at most. */
  readonly concurrency: number
  /** Longest edge in pixels of the full image and of the crop as they are sent; null: not shrunk. */
  readonly fullEdge: number | null
  readonly cropEdge: number | null
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

interface Range {
  min: number
  max: number
  unit: string
}

export const EDGE: Range = { min: 16, max: 16_384, unit: 'pixels' }
export const TIMEOUT: Range = { min: 100, max: 3_600_000, unit: 'ms' }
export const CONCURRENCY: Range = { min: 1, max: 10_000, unit: 'requests' }

export interface EntryContext {
  /** The name a message gives to one key of the entry, or to the entry. */
  label: (key?: string) => string
  /** What the entry leaves out. */
  settings: { timeoutMs: number; concurrency: number; fullEdge: number | null; cropEdge: number | null }
  env: Readonly<Record<string, string | undefined>>
  problems: string[]
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const LOCAL = 'local:'
/** No folder: one of that name is `local:./text`. */
const READER = 'local:text'
const OPENAI_KEYS = [
  'name',
  'base_url',
  'model',
  'api_key',
  'api_key_env',
  'timeout_ms',
  'concurrency',
  'full_edge',
  'crop_edge',
]
const READER_KEYS = ['name', 'model', 'timeout_ms']
const LOCAL_KEYS = ['name', 'model', 'precision', 'resolution', 'timeout_ms']

export function isLocal(model: unknown): model is string {
  return typeof model === 'string' && model.startsWith(LOCAL)
}

/** The target an entry describes, frozen, in a list; an empty list where `problems` has been added to. */
export function fromEntry(value: unknown, context: EntryContext): TargetConfig[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    context.problems.push(`${context.label()} must be an object with a name and a model.`)
    return []
  }
  const known = context.problems.length
  const entry = new Entry(value as Record<string, unknown>, context)
  const isReader = entry.raw('model') === READER
  const target = isReader ? readerTarget(entry, context) : isLocal(entry.raw('model')) ? localTarget(entry, context) : openAiTarget(entry, context)
  return context.problems.length === known ? [Object.freeze(target)] : []
}

function localTarget(entry: Entry, { settings }: EntryContext): LocalTargetConfig {
  entry.refuseOthers(LOCAL_KEYS, 'a local target')
  const dir = entry.text('model').slice(LOCAL.length)
  if (dir === '') entry.wrong('model', 'name a model folder after local:, like local:models/smolvlm-mini')
  return {
    kind: 'local',
    name: entry.name(),
    dir: resolve(dir),
    precision: entry.precision(),
    resolution: entry.integer('resolution', EDGE, null),
    timeoutMs: entry.integer('timeout_ms', TIMEOUT, settings.timeoutMs),
  }
}

function readerTarget(entry: Entry, { settings }: EntryContext): ReaderTargetConfig {
  entry.refuseOthers(READER_KEYS, 'the text reader')
  return {
    kind: 'reader',
    name: entry.name(),
    timeoutMs: entry.integer('timeout_ms', TIMEOUT, settings.timeoutMs),
  }
}

function openAiTarget(entry: Entry, { settings }: EntryContext): OpenAiTargetConfig {
  entry.refuseOthers(OPENAI_KEYS, 'an OpenAI-compatible target')
  return {
    kind: 'openai',
    name: entry.name(),
    baseUrl: entry.url('base_url'),
    model: entry.text('model'),
    apiKey: entry.key(),
    timeoutMs: entry.integer('timeout_ms', TIMEOUT, settings.timeoutMs),
    concurrency: entry.integer('concurrency', CONCURRENCY, settings.concurrency),
    fullEdge: entry.edge('full_edge', settings.fullEdge),
    cropEdge: entry.edge('crop_edge', settings.cropEdge),
  }
}

/** Reads one entry's keys; a wrong one is reported, and a value of the right type returned to go on with. */
class Entry {
  constructor(
    private readonly entry: Readonly<Record<string, unknown>>,
    private readonly context: EntryContext,
  ) {}

  /** null where the key is absent. */
  raw(key: string): unknown {
    return Object.hasOwn(this.entry, key) ? (this.entry[key] ?? null) : null
  }

  wrong(key: string, remedy: string): void {
    const value = this.raw(key)
    const text = String(JSON.stringify(value))
    // an "@" may follow a password, and what is no variable's name may be the key itself
    const hidden = text.includes('@') || (key === 'api_key_env' && !/^"[A-Z][A-Z0-9_]*"$/.test(text))
    const shown = value === null ? 'is missing' : hidden ? 'is wrong' : `is ${text}`
    this.context.problems.push(`${this.context.label(key)} ${shown}; ${remedy}.`)
  }

  refuseOthers(keys: readonly string[], what: string): void {
    for (const key of Object.keys(this.entry).filter(key => this.raw(key) !== null && !keys.includes(key)))
      this.context.problems.push(
        `${this.context.label(key)} is not an option of ${what}; those are ${keys.join(', ')}.`,
      )
  }

  text(key: string): string {
    const value = this.raw(key)
    if (typeof value === 'string' && value !== '') return value
    this.wrong(key, 'give it as a text')
    return ''
  }

  name(): string {
    const value = this.raw('name')
    if (typeof value === 'string' && NAME.test(value)) return value
    this.wrong('name', 'give a name of at most 64 letters, digits, ".", "_" and "-"')
    return ''
  }

  url(key: string): string {
    const value = this.raw(key)
    const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
    // a password in the URL would end up in logs; it is not shown here either
    if (url && (url.username || url.password))
      this.context.problems.push(`${this.context.label(key)} holds a user or password; use the API key instead.`)
    else if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return url.href.replace(/\/+$/, '')
    else this.wrong(key, 'give an http or https URL up to and with /v1, like http://localhost:8000/v1')
    return ''
  }

  /** The bearer token, given as it is or as the name of an environment variable. Never part of a message. */
  key(): string | null {
    const { label, env, problems } = this.context
    const [key, variable] = [this.raw('api_key'), this.raw('api_key_env')]
    if (key !== null && typeof key !== 'string') problems.push(`${label('api_key')} must be a text.`)
    if (variable === null) return typeof key === 'string' ? key : null
    if (key !== null) problems.push(`${label('api_key')} and api_key_env are both given; keep one.`)
    const found = typeof variable === 'string' ? env[variable] : undefined
    if (!found) this.wrong('api_key_env', 'name an environment variable that is set')
    return found ?? null
  }

  integer<T extends number | null>(key: string, { min, max, unit }: Range, fallback: T): number | T {
    const value = this.raw(key)
    if (value === null) return fallback
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
    this.wrong(key, `give a whole number of ${unit} from ${min} to ${max}`)
    return fallback
  }

  /** A longest edge in pixels, or null for `"original"`. */
  edge(key: string, fallback: number | null): number | null {
    return this.raw(key) === 'original' ? null : this.integer(key, EDGE, fallback)
  }

  precision(): Precision | null {
    const value = this.raw('precision')
    const found = PRECISIONS.find(known => known === value)
    if (value !== null && !found) this.wrong('precision', `give one of ${PRECISIONS.join(', ')}`)
    return found ?? null
  }
}
