/** The options of `cropvlm batch` that are options of a request. */
import { createHash } from 'node:crypto'
import type { AnswerRequest, CropRequest } from '../../client/client.js'
import { ZOOM_OPTIONS } from '../ask/options.js'
import { CliError, EXIT } from '../command.js'
import type { Route } from './asking/ask-row.js'

const CROP = ['resolution', 'expand', 'zoom'] as const satisfies (keyof CropRequest)[]
const ANSWER = [
  ...CROP,
  'target',
  'mode',
  'compare',
  'full_edge',
  'crop_edge',
  'compare_edge',
  'max_tokens',
  'temperature',
] as const satisfies (keyof AnswerRequest)[]

/** The options that a row may have of its own, as the API names them. */
export const ROW_OPTIONS: Readonly<Record<Route, readonly string[]>> = { crop: CROP, answer: ANSWER }

export const REQUEST_OPTIONS = {
  ...ZOOM_OPTIONS,
  target: { value: 'NAME', meaning: 'With --route answer: the target that answers.' },
  mode: {
    value: 'MODE',
    choices: ['zoom', 'full', 'crop'],
    meaning: 'With --route answer: what the target sees.',
  },
  compare: { meaning: 'With --route answer: also asks without the crop.' },
  'max-tokens': { value: 'N', meaning: 'With --route answer: most tokens of an answer.' },
  temperature: { value: 'T', meaning: "With --route answer: the target's sampling temperature." },
} as const

/** Those that are numbers in JSON. */
const NUMBERS: readonly string[] = ['resolution', 'expand', 'max_tokens', 'temperature']

/**
 * The options of each request, as the API names and types them.
 * @param values As the command line has them.
 * @throws CliError usage: one belongs to the other route, or is no number
 */
export function requestOptions(
  route: Route,
  values: Readonly<Record<string, string | boolean | undefined>>,
): Record<string, unknown> {
  const options: Record<string, unknown> = {}
  for (const flag of Object.keys(REQUEST_OPTIONS)) {
    const value = values[flag]
    if (value === undefined || value === false) continue
    const name = flag.replace('-', '_')
    if (!ROW_OPTIONS[route].includes(name)) throw new CliError(EXIT.usage, `--${flag} needs --route answer.`)
    if (NUMBERS.includes(name) && !(Number(value) >= 0 && String(value).trim() !== ''))
      throw new CliError(EXIT.usage, `--${flag} is "${value}", but must be a number.`)
    options[name] = NUMBERS.includes(name) ? Number(value) : value
  }
  return options
}

/** 4 bytes, in hexadecimal, of what decides the replies beside the rows themselves. */
export function hashRun(parts: {
  route: Route
  question: string | null
  options: Record<string, unknown>
  crops: boolean
}): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 8)
}
