/** Options of the commands that ask about images, as the API has them. */
import type { CropRequest } from '../../client/client.js'
import { CliError, EXIT } from '../command.js'
import type { OptionValues } from '../spec.js'

export const QUESTION_OPTION = {
  value: 'TEXT',
  meaning: 'The question, in place of the last argument. Given several times, each is asked about each image.',
  repeated: true,
} as const

export const ZOOM_OPTIONS = {
  resolution: { value: 'N', meaning: "Longest edge in pixels that the cropper sees. Default: the model's own." },
  expand: { value: 'FACTOR', meaning: 'Grows the area of the box, 1 to 10.' },
  zoom: {
    value: 'WHEN',
    choices: ['always', 'auto', 'never'],
    meaning: 'auto skips a crop that would not help, never does not look for a box.',
  },
} as const

/**
 * What was given of `ZOOM_OPTIONS`.
 * @throws CliError usage
 */
export function zoomOptions({
  resolution,
  expand,
  zoom,
}: OptionValues<typeof ZOOM_OPTIONS>): Pick<CropRequest, 'resolution' | 'expand' | 'zoom'> {
  return {
    ...(resolution === undefined ? {} : { resolution: number('--resolution', resolution) }),
    ...(expand === undefined ? {} : { expand: number('--expand', expand) }),
    // the parser takes no others
    ...(zoom === undefined ? {} : { zoom: zoom as NonNullable<CropRequest['zoom']> }),
  }
}

/** Which numbers an option takes, the service says. */
function number(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value)) return value
  throw new CliError(EXIT.usage, `${option} is "${text}", but must be a number.`)
}
