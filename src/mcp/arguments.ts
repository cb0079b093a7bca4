/** The arguments of `zoom_image` as a model gave them. */
import { compileSchema, wrongKeys } from '../config/schema.js'
import type { Box } from '../contract/box.js'
import { stripped } from '../contract/question.js'
import { INPUT, ZOOM_IMAGE } from './tool.js'
import { ToolError } from './tool-error.js'

export interface ZoomRequest {
  image: string
  /** Null where a box was given. */
  question: string | null
  /** In thousandths of the upright image; null where a question was given alone. */
  box: Box | null
  label: string | null
  /** Factor by which the box's area grows about its centre, 1..10. */
  expand: number
}

/** What is wrong with an argument, by its name. */
const REMEDIES: Readonly<Record<string, string>> = {
  image: 'image must be a text: the path of a picture, a file:// or data: URL, or a link',
  question: 'question must be a text',
  bbox_2d:
    'bbox_2d must be four numbers [x1, y1, x2, y2] from 0 to 1000: thousandths of the width and height of the whole picture, not pixels',
  label: 'label must be a text of at most 200 characters',
  expand: 'expand must be a number from 1 to 10',
}

const check = compileSchema(INPUT)

/** @throws ToolError with all that is wrong */
export function readArguments(given: unknown): ZoomRequest {
  if (!check(given)) throw new ToolError(`${[...wrongKeys(check)].map(problem).join('. ')}.`)
  const { image, question, bbox_2d, label = null, expand = 1 } = given
  if (stripped(image) === '') throw new ToolError('image is blank; give the path of a picture.')
  if (bbox_2d !== undefined) return { image: stripped(image), question: null, box: readBox(bbox_2d), label, expand }
  if (question === undefined || stripped(question) === '')
    throw new ToolError(
      'Give question (what is to be found out, so that the place is looked for) or bbox_2d (the place, [x1, y1, x2, y2] from 0 to 1000).',
    )
  return { image: stripped(image), question: stripped(question), box: null, label, expand }
}

function problem(name: string): string {
  return (
    REMEDIES[name] ??
    `"${name}" is no argument of ${ZOOM_IMAGE}, which takes ${Object.keys(INPUT.properties).join(', ')}`
  )
}

/** The schema has seen to it that these are four numbers from 0 to 1000. */
function readBox(numbers: readonly number[]): Box {
  const [x1, y1, x2, y2] = numbers as unknown as Box
  if (x1 < x2 && y1 < y2) return [x1, y1, x2, y2]
  throw new ToolError(
    `bbox_2d is [${numbers.join(', ')}], which holds nothing: its order is [x1, y1, x2, y2], with x1 less than x2 and y1 less than y2.`,
  )
}
