/** What a chat request asks of a target in this process, in the fields of each API; what it cannot do is refused. */
import { CropVlmError } from '../../errors.js'

export interface LocalOptions {
  stream: boolean
  /** Whether a stream tells the tokens at its end. */
  includeUsage: boolean
  n: number
  maxTokens: number
  temperature: number
  /** As the request has it; null: it names none. */
  model: string | null
}

/** Answers are short: the model is asked for very brief ones. */
const DEFAULT_TOKENS = 64
const MAX_TOKENS = 4096
const MAX_N = 8

type Fields = Record<string, unknown>

/** @throws CropVlmError invalid_option, invalid_body */
export function localOptions(body: unknown): LocalOptions {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CropVlmError(
      'invalid_body',
      'The body must be a JSON object, as the API that this path belongs to has it.',
    )
  const fields = body as Fields
  refuse(fields)
  const most = first(fields, ['max_completion_tokens', 'max_tokens', 'max_output_tokens'])
  return {
    stream: fields.stream === true,
    includeUsage: (fields.stream_options as Fields | null | undefined)?.include_usage === true,
    n: integer(first(fields, ['n']), 1, MAX_N, 1),
    maxTokens: Math.min(MAX_TOKENS, integer(most, 1, Number.MAX_SAFE_INTEGER, DEFAULT_TOKENS)),
    temperature: temperature(fields.temperature),
    model: typeof fields.model === 'string' ? fields.model : null,
  }
}

/** Whatever would change the form of the answer, so that it cannot be left out in silence. */
function refuse(fields: Fields): void {
  const format = (fields.response_format ?? (fields.text as Fields | null | undefined)?.format) as Fields | undefined
  const choice = fields.tool_choice
  const wrong =
    (fields.logprobs === true && 'logprobs') ||
    (format && format.type !== 'text' && 'response_format') ||
    (choice !== undefined && choice !== null && !isOptional(choice) && 'tool_choice')
  if (wrong)
    throw new CropVlmError('invalid_option', `The model in this process cannot do \`${wrong}\`; leave it out.`, {
      param: wrong,
    })
}

function isOptional(choice: unknown): boolean {
  const name = typeof choice === 'object' ? (choice as Fields | null)?.type : choice
  return name === 'auto' || name === 'none'
}

function first(fields: Fields, names: readonly string[]): [name: string, value: unknown] {
  const name = names.find(name => fields[name] !== undefined && fields[name] !== null) ?? ''
  return [name, fields[name]]
}

function integer([name, value]: [string, unknown], min: number, max: number, otherwise: number): number {
  if (value === undefined) return otherwise
  if (Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max) return Number(value)
  const upTo = max === Number.MAX_SAFE_INTEGER ? 'on' : `to ${max}`
  throw new CropVlmError('invalid_option', `\`${name}\` must be a whole number from ${min} ${upTo}.`, { param: name })
}

function temperature(value: unknown): number {
  if (value === undefined || value === null) return 0
  if (typeof value === 'number' && value >= 0 && value <= 2) return value
  throw new CropVlmError('invalid_option', '`temperature` must be a number from 0 to 2.', { param: 'temperature' })
}
