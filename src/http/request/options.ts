/**
 * The options of a request, each declared once: its JSON Schema is the documentation, its reader the validation, its
 * default the type's. A reader gives undefined for what is not the value; nothing is rounded, clamped or guessed.
 */
import { CropVlmError } from '../../errors.js'

interface Option<T> {
  schema: Record<string, unknown>
  default: T
  /** What a valid value looks like, to follow "must be". */
  expected: string
  /** Of a JSON body. */
  read(value: unknown): T | undefined
  /** Of a multipart text field. */
  readText(text: string): T | undefined
}

type Table = Readonly<Record<string, Option<unknown>>>
export type Values<T extends Table> = { readonly [Key in keyof T]: T[Key]['default'] }

/** A field's value as it came: text from a form, anything from JSON. */
export type RawValue = { text: string } | { json: unknown }

interface NumberOptions<T> {
  minimum: number
  maximum: number
  default: T
  description: string
}

function number<T extends number | null>(type: 'integer' | 'number', options: NumberOptions<T>): Option<number | T> {
  const { minimum, maximum, description } = options
  const fits = (value: unknown) =>
    typeof value === 'number' && value >= minimum && value <= maximum && (type === 'number' || Number.isInteger(value))
      ? value
      : undefined
  return {
    schema: { type, minimum, maximum, description, ...withDefault(options.default) },
    default: options.default,
    expected: `${type === 'integer' ? 'a whole number' : 'a number'} from ${minimum} to ${maximum}`,
    read: fits,
    readText: text => (/^\d{1,15}(\.\d{1,15})?$/.test(text) ? fits(Number(text)) : undefined),
  }
}

function oneOf<const T extends string>(values: readonly T[], value: NoInfer<T>, description: string): Option<T> {
  const read = (found: unknown) => values.find(known => known === found)
  return {
    schema: { type: 'string', enum: values, description, default: value },
    default: value,
    expected: `one of ${values.join(', ')}`,
    read,
    readText: read,
  }
}

function flag(description: string): Option<boolean> {
  return {
    schema: { type: 'boolean', description, default: false },
    default: false,
    expected: 'true or false',
    read: value => (typeof value === 'boolean' ? value : undefined),
    readText: text => (text === 'true' ? true : text === 'false' ? false : undefined),
  }
}

function name(description: string): Option<string | null> {
  const read = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)
  return { schema: { type: 'string', description }, default: null, expected: 'a name', read, readText: read }
}

/** Most questions of one request. */
export const MOST_QUESTIONS = 32

function questionList(description: string): Option<readonly string[] | null> {
  const read = (value: unknown) => {
    const fits = Array.isArray(value) && value.length > 0 && value.length <= MOST_QUESTIONS
    return fits && value.every(question => typeof question === 'string') ? value : undefined
  }
  const readText = (text: string) => {
    try {
      return read(JSON.parse(text))
    } catch {
      return undefined
    }
  }
  const items = { type: 'string', minLength: 1 }
  return {
    schema: { type: 'array', items, minItems: 1, maxItems: MOST_QUESTIONS, description },
    default: null,
    expected: `a JSON array of 1 to ${MOST_QUESTIONS} texts`,
    read,
    readText,
  }
}

const withDefault = (value: unknown) => (value === null ? {} : { default: value })

const ZOOM_OPTIONS = {
  resolution: number('integer', {
    minimum: 1,
    maximum: 65_536,
    default: null,
    description:
      "Longest edge in pixels the cropper sees: one of those that GET /info lists. Default: the model's own.",
  }),
  expand: number('number', {
    minimum: 1,
    maximum: 10,
    default: 1,
    description: "Grows the box's area by this factor about its centre, clamped to the image.",
  }),
  return: oneOf(
    ['box', 'crop', 'overlay'],
    'box',
    'What to return beside the box: the crop, or the image with the box drawn.',
  ),
  format: oneOf(['jpeg', 'png', 'webp'], 'jpeg', 'Format of a returned picture.'),
  quality: number('integer', {
    minimum: 1,
    maximum: 100,
    default: 90,
    description: 'Quality of a returned JPEG or WebP.',
  }),
}

export const CROP_OPTIONS = {
  questions: questionList(
    'Several questions about the image instead of `question`: the image is read once, and the reply has `results`, one for each. In a form: a JSON array.',
  ),
  ...ZOOM_OPTIONS,
}

export const ANSWER_OPTIONS = {
  ...ZOOM_OPTIONS,
  target: name('Name of a configured target; GET /info lists them. Default: the first.'),
  mode: oneOf(
    ['zoom', 'full', 'crop'],
    'zoom',
    'What the target sees: zoom is the full image and the crop, full has no crop, crop is the crop alone.',
  ),
  compare: flag('Also answer from the full image alone, and return both.'),
  max_tokens: number('integer', {
    minimum: 1,
    maximum: 4096,
    default: 64,
    description: 'Most tokens the target may answer with.',
  }),
  temperature: number('number', {
    minimum: 0,
    maximum: 2,
    default: 0,
    description: "The target's sampling temperature; 0 is greedy.",
  }),
}

/**
 * One option's value; null in JSON is the default.
 * @throws CropVlmError `invalid_option`
 */
function readOption(name: string, option: Option<unknown>, raw: RawValue): unknown {
  if ('json' in raw && raw.json === null) return option.default
  const value = 'text' in raw ? option.readText(raw.text) : option.read(raw.json)
  if (value !== undefined) return value
  throw new CropVlmError('invalid_option', `\`${name}\` must be ${option.expected}.`, { param: name })
}

/**
 * Every option of a table, defaults filled in.
 * @throws CropVlmError `invalid_option`
 */
export function readOptions<T extends Table>(table: T, fields: ReadonlyMap<string, RawValue>): Values<T> {
  const values = Object.entries(table).map(([name, option]) => {
    const raw = fields.get(name)
    return [name, raw === undefined ? option.default : readOption(name, option, raw)]
  })
  return Object.fromEntries(values) as Values<T>
}

/** @throws CropVlmError `unknown_option`, naming it and listing those there are */
export function checkFieldName(name: string, table: Table): void {
  if (name === 'image' || name === 'question' || Object.hasOwn(table, name)) return
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name
  throw new CropVlmError(
    'unknown_option',
    `\`${shown}\` is not an option here; the fields are image, question, ${Object.keys(table).join(', ')}.`,
    { param: shown },
  )
}
