/** What Ajv finds wrong with a body, as coded errors. */
import { type TObject, Type } from '@sinclair/typebox'
import { type Described, expectedBy } from '../../config/schema.js'
import { CropVlmError } from '../../errors.js'

/** An error of Ajv with its option `verbose`. */
export interface SchemaError {
  keyword: string
  instancePath: string
  params: Record<string, unknown>
  /** The schema that has the keyword. */
  parentSchema?: object
  /** What was checked with it. */
  data?: unknown
}

/** Fastify's `schemaErrorFormatter`. */
export function bodyError(errors: readonly SchemaError[]): CropVlmError {
  // where several are about one value, the last is of the keyword that holds the others
  const error = errors.at(-1)
  const [, name] = error?.instancePath.split('/') ?? []
  if (!error?.parentSchema) return new CropVlmError('invalid_body', 'The body does not fit its schema.')
  const schema = error.parentSchema as Described
  if (name === undefined) return wholeBodyError(error, schema as TObject)
  if (error.keyword === 'maxLength') return questionTooLong(Number(error.params.limit))
  if (error.keyword === 'pattern')
    return new CropVlmError('missing_field', '`question` is empty.', { param: 'question' })
  return new CropVlmError('invalid_option', `\`${name}\` must be ${expectedBy(schema)}.`, { param: name })
}

/** A field that is missing, or one too many. Both often come from one misspelt name, which is then what to tell. */
function wholeBodyError({ params, data }: SchemaError, schema: TObject): CropVlmError {
  for (const sent of Object.keys(Object(data))) {
    const unknown = unknownField(sent, schema)
    if (unknown) return unknown
  }
  const name = String(params.missingProperty)
  const expected = expectedBy(schema.properties[name] ?? Type.Unknown())
  return new CropVlmError('missing_field', `\`${name}\` is missing; send it as ${expected}.`, { param: name })
}

/** `unknown_option`, naming the field and listing those there are; null for a field that there is. */
export function unknownField(name: string, { properties }: TObject): CropVlmError | null {
  if (Object.hasOwn(properties, name)) return null
  const shown = name.length > 64 ? `${name.slice(0, 64)}...` : name
  return new CropVlmError(
    'unknown_option',
    `\`${shown}\` is not an option here; the fields are ${Object.keys(properties).join(', ')}.`,
    { param: shown },
  )
}

export function questionTooLong(maxQuestionChars: number): CropVlmError {
  return new CropVlmError(
    'question_too_long',
    `The question is longer than ${maxQuestionChars} characters; shorten it.`,
  )
}
