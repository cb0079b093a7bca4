/** The fields of a form as the values that they stand for, to be checked by the form's schema. */
import type { TObject } from '@sinclair/typebox'
import { type Described, typesOf } from '../../config/schema.js'
import { CropVlmError } from '../../errors.js'
import type { Form } from './form.js'
import { refuseUrl } from './json-image.js'

/** As JavaScript and Python write them, and as an HTML check box sends them. */
const FLAGS: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  1: true,
  on: true,
  false: false,
  False: false,
  0: false,
  off: false,
}

/**
 * The body that a form stands for. A blank field is as good as none, but for the question.
 * @throws CropVlmError invalid_option, missing_field, url_not_allowed
 */
export function bodyOf({ image, texts }: Form, schema: TObject): Record<string, unknown> {
  if (!image) refuseImageText(texts.get('image')?.[0] ?? '')
  if (image?.length === 0) throw new CropVlmError('missing_field', 'The file in `image` is empty.', { param: 'image' })
  const values = [...texts].map(([name, sent]): [string, unknown] => [name, fieldValue(schema.properties[name], sent)])
  const given = Object.fromEntries(values.filter(([, value]) => value !== undefined))
  // a blank question is told as such, unless there are others
  if (texts.has('question') && given.questions === undefined) given.question = texts.get('question')?.[0]
  return { ...(image ? { image } : {}), ...given }
}

/** Undefined where nothing was filled in; a text that stands for no value of the type is left for the schema to refuse. */
function fieldValue(schema: Described | undefined, sent: readonly string[]): unknown {
  const filled = sent.filter(text => text.trim() !== '')
  const [text] = filled
  if (!schema || text === undefined) return undefined
  switch (typesOf(schema)[0]) {
    case 'array':
      if (schema.items?.type === 'integer') return numbersOf(filled.join(','))
      return filled.length === 1 ? listOf(text) : filled
    case 'integer':
    case 'number':
      return numberOf(text)
    case 'boolean':
      return Object.hasOwn(FLAGS, text) ? FLAGS[text] : text
    default:
      return text
  }
}

function numberOf(text: string): unknown {
  return /^\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text
}

/** Numbers with commas between them, with or without the brackets of a JSON array. */
function numbersOf(text: string): unknown[] {
  const [, inner = text] = /^\s*\[(.*)\]\s*$/s.exec(text) ?? []
  return inner.split(',').map(one => numberOf(one.trim()))
}

/** A lone field is a JSON array, or the only item of the list; what only begins like an array is left as it is. */
function listOf(text: string): unknown {
  if (!text.trimStart().startsWith('[')) return [text]
  try {
    return JSON.parse(text)
  } catch {
    return /^\s*\[\s*"/.test(text) ? text : [text]
  }
}

function refuseImageText(text: string): void {
  if (text.trim() === '') return
  refuseUrl(text)
  throw new CropVlmError('invalid_option', '`image` was sent as text; send it as a file (curl: -F image=@page.jpg).', {
    param: 'image',
  })
}
