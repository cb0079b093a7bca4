/**
 * The one schema language of this service: JSON Schema, written with TypeBox, with a few annotations for people. The
 * variables of the environment, the entries of `TARGETS` and the options of a request are all declared in it; their
 * types, checks, messages and documentation follow from the declaration.
 */
import { type SchemaOptions, type Static, type TSchema, type TUnsafe, Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'

/** The longest that anything is waited for. */
export const HOUR_MS = 3_600_000

const ajv = new Ajv({
  allErrors: true,
  // our annotations are no keywords that it knows
  strict: false,
  // TypeBox makes valid schemas
  validateSchema: false,
  formats: { 'http-url': (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) },
})

/** A check that tells of every property that does not fit: of those, `wrongKeys` gives the names. */
export function compileSchema<T extends TSchema>(schema: T): ValidateFunction<Static<T>> {
  return ajv.compile<Static<T>>(schema)
}

/** The names of the properties that the last run of a check found wrong: not fitting, missing, or not known. */
export function wrongKeys({ errors }: ValidateFunction): Set<string> {
  const keys = errors?.map(
    ({ instancePath, params }) => instancePath.split('/')[1] ?? params.additionalProperty ?? params.missingProperty,
  )
  return new Set(keys)
}

/** Keywords of ours that a schema may carry beside JSON Schema's. Ajv ignores them. */
export interface Annotations {
  /** Environment variable that gives the value. */
  env?: string
  /** What a number counts: `ms`, `bytes`, `pixels`. */
  unit?: string
  /** Never printed, in logs or in messages. */
  secret?: boolean
  /** What a valid value looks like, where that does not follow from the schema; stands after "must be" or "give". */
  expected?: string
  /** What to do about a wrong value, where "give" and `expected` do not say it well. */
  remedy?: string
  /** Other words for values of an enum. */
  aliases?: Readonly<Record<string, string>>
  /** The text that stands for null. */
  word?: string
  /** Whether a variable that is set but blank gives null, rather than counting as unset. */
  blankIsNull?: boolean
  /** The default as the documentation prints it, where that is not the default's own text. */
  defaultText?: string
  /** Whether a string is a path, to be resolved against the working directory; `model`: a model folder, which the package may have. */
  path?: boolean | 'model'
}

/** A schema as the functions here read it. */
export type Described = TSchema &
  Annotations & {
    type?: string | string[]
    enum?: readonly unknown[]
    minimum?: number
    maximum?: number
    maxItems?: number
    default?: unknown
    description?: string
  }

/** One of a list of words. */
export function Choice<const T extends string>(
  values: readonly T[],
  options: SchemaOptions & Annotations & { default?: NoInfer<T> },
): TUnsafe<T> {
  return Type.Unsafe<T>({ type: 'string', enum: values, ...options })
}

/** A schema's value, or null, which the text `word` stands for; without a word, only leaving it out gives null. */
export function OrNull<T extends TSchema>(schema: T, word?: string): TUnsafe<Static<T> | null> {
  const { type, enum: values, default: value = null, ...rest } = schema as Described
  return Type.Unsafe<Static<T> | null>({
    type: [type, 'null'],
    ...(values ? { enum: [...values, null] } : {}),
    default: value,
    ...rest,
    ...(word === undefined ? {} : { word }),
  })
}

/** A named schema, by its name. */
export function ref<T extends TSchema>({ $id }: T): TUnsafe<Static<T>> {
  return Type.Unsafe<Static<T>>({ $ref: `${$id}#` })
}

/** The types that a schema allows, in their order, null left out. */
export function typesOf({ type, anyOf = [] }: Described): string[] {
  const types = type === undefined ? (anyOf as Described[]).flatMap(typesOf) : [type].flat()
  return types.filter(name => name !== 'null')
}

/** What a valid value looks like: "a whole number of ms from 0 to 1000", "one of a, b". */
export function expectedBy(schema: Described): string {
  return schema.expected ?? expectedByType(schema)
}

function expectedByType(schema: Described): string {
  const { enum: values, unit, minimum, maximum } = schema
  if (values) return `one of ${wordsOf(schema).join(', ')}`
  switch (typesOf(schema)[0]) {
    case 'integer':
      return `a whole number${unit ? ` of ${unit}` : ''} from ${minimum} to ${maximum}`
    case 'number':
      return `a number from ${minimum} to ${maximum}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return `a JSON array of 1 to ${schema.maxItems} texts`
    default:
      return schema.path ? 'a path' : 'a text'
  }
}

/** Every word that an enum takes, aliases included. */
export function wordsOf({ enum: values = [], aliases = {} }: Described): string[] {
  return [...values.filter(value => value !== null).map(String), ...Object.keys(aliases)]
}
