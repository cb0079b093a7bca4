/** Reads a line of a JSONL input. */
import { resolve } from 'node:path'
import { isTooDeep, MAX_LEVELS } from '../../../contract/nesting.js'
import type { RowContent, RowImage, RowProblem } from './row.js'

export interface RowSettings {
  /** Where relative paths of images begin. */
  images: string
  /** The question of rows that have none. */
  question: string | null
  /** Names of the options that a row may have of its own. */
  optionNames: readonly string[]
}

const DATA_URL = /^data:/i
const LINK = /^https?:\/\//i

export function parseRow(line: string, settings: RowSettings): RowContent | RowProblem {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return problem(null, `The row is not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return problem(
      null,
      'The row is not a JSON object such as {"image": "page.png", "question": "What is the total?"}.',
    )
  // it is written again with the result
  if (isTooDeep(value)) return problem(null, `Lists and objects nest over ${MAX_LEVELS} levels deep in the row.`)
  const { id: givenId, image, question: ownQuestion, ...copied } = value as Record<string, unknown>
  const id = typeof givenId === 'string' || typeof givenId === 'number' ? givenId : null
  if (givenId !== undefined && givenId !== null && id === null) return problem(null, '"id" must be a text or a number.')
  if (typeof image !== 'string' || image === '') return problem(id, '"image" must be a path, a data URL or a link.')
  const question = ownQuestion ?? settings.question
  if (typeof question !== 'string' || question.trim() === '')
    return problem(id, 'The row has no "question", and the command line gives none for all rows.')
  const options = settings.optionNames.filter(name => name in copied).map(name => [name, copied[name]])
  return {
    id,
    imageName: DATA_URL.test(image) ? null : image,
    image: toImage(image, settings.images),
    question,
    options: Object.fromEntries(options),
    copied,
  }
}

function toImage(image: string, folder: string): RowImage {
  return DATA_URL.test(image) || LINK.test(image) ? { text: image } : { path: resolve(folder, image) }
}

function problem(id: RowProblem['id'], message: string): RowProblem {
  return { id, code: 'invalid_row', message }
}
