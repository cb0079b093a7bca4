/** `cropvlm.json`, which `cropvlm-train export` writes into a model folder. The schema is the type and the check. */
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { Value, type ValueError } from '@sinclair/typebox/value'
import { PRECISION_NAMES } from './graph-names.js'

/** Version of the fields. */
export const FORMAT = 2
/** Version of the words of the prompt that a model was trained with. */
const PROMPT_CONTRACT = 1

const OrNull = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Null()], { ...schema }))

/** Longest edge of an image, in pixels: from one tile of the smallest model to more than any encoder takes. */
const Edge = Type.Integer({ minimum: 16, maximum: 16_384, expected: 'a whole number of pixels from 16 to 16384' })

const DESCRIPTION = Type.Object({
  format: Type.Literal(FORMAT, { expected: `the number ${FORMAT}` }),
  prompt_contract: Type.Literal(PROMPT_CONTRACT, {
    expected: `the number ${PROMPT_CONTRACT}, the prompt that this service speaks`,
  }),
  id: Type.Optional(
    Type.String({
      pattern: '^(?!.*\\.\\.)[A-Za-z0-9][\\w.+/ -]{0,127}$',
      expected: 'a name of at most 128 letters, digits and . _ + / -, without ".."',
    }),
  ),
  revision: OrNull(
    Type.String({ pattern: '^[\\w.+/ -]{1,200}$', expected: 'a text of at most 200 letters, digits and . _ + / -' }),
  ),
  resolutions: Type.Array(Edge, {
    minItems: 1,
    maxItems: 64,
    expected: 'a list of whole numbers of pixels, each from 16 to 16384',
  }),
  default_resolution: Edge,
  default_precision: Type.Optional(
    Type.Union(
      PRECISION_NAMES.map(name => Type.Literal(name)),
      { expected: `one of ${PRECISION_NAMES.join(', ')}` },
    ),
  ),
  sha256: Type.Record(
    // TypeBox's own pattern of any key leaves out keys with a line break, whose values then are not looked at
    Type.String({ pattern: '^[\\s\\S]*$' }),
    Type.String({ pattern: '^[0-9a-f]{64}$', expected: 'a sha256 of 64 hexadecimal digits' }),
    { maxProperties: 1000, expected: 'an object of at most 1000 files and their sha256' },
  ),
  warning: OrNull(
    Type.String({
      maxLength: 2000,
      // line breaks, other control characters, and those that change how others are shown
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]*$',
      expected: 'a text of at most 2000 characters in one line',
    }),
  ),
  training: OrNull(Type.Record(Type.String(), Type.Unknown(), { expected: 'an object' })),
  scores: OrNull(Type.Record(Type.String(), Type.Unknown(), { expected: 'an object' })),
  attention: Type.Optional(
    Type.Object(
      {
        layers: Type.Array(Type.Integer({ minimum: 0, maximum: 999, expected: 'a layer, from 0 to 999' }), {
          minItems: 1,
          maxItems: 1000,
          uniqueItems: true,
          expected: 'a list of layers, from 0 to 999, each once',
        }),
      },
      { expected: 'an object with `layers`' },
    ),
  ),
})

export type Description = Static<typeof DESCRIPTION>

/** Every fault of what `cropvlm.json` holds, each a sentence; or the same value with its type. */
export function readDescription(value: unknown): { description: Description } | { faults: string[] } {
  const format = (value as { format?: unknown }).format
  // fields of another version mean something else, so nothing is said of them
  if (Number.isInteger(format) && format !== FORMAT)
    return {
      faults: [`\`format\` is ${format}, this service reads ${FORMAT}; a newer one may read it.`],
    }
  const faults = new Map<string, string>()
  for (const error of Value.Errors(DESCRIPTION, value))
    if (!faults.has(error.path)) faults.set(error.path, fault(error))
  const { resolutions, default_resolution: preferred } = value as Description
  if (faults.size === 0 && !resolutions.includes(preferred))
    faults.set('', `\`default_resolution\` is ${preferred}, but has to be one of \`resolutions\`.`)
  return faults.size === 0 ? { description: value as Description } : { faults: [...faults.values()] }
}

function fault({ path, value, schema }: ValueError): string {
  const name = `\`${printable(path.slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~'))}\``
  const expected = String(schema.expected ?? schema.type)
  if (value === undefined) return `${name} is missing; it has to be ${expected}.`
  return `${name} is ${printable(JSON.stringify(value))}, but has to be ${expected}.`
}

/** At most 80 letters of a text, without those that do not print or change how others do. */
function printable(text: string): string {
  return `${text.slice(0, 80)}${text.length > 80 ? '...' : ''}`.replace(/\p{C}/gu, '\ufffd')
}
