/** The pages of an evaluation: `manifest.jsonl` beside its images, as `cropvlm-train data synth` writes it. */
import { resolve } from 'node:path'
import type { Corners } from '../../evaluation/measures.js'
import type { Page } from '../../evaluation/outcome.js'
import { collectFile } from '../collect.js'
import { CliError, EXIT } from '../command.js'

/** Of manifest.jsonl: a million pages. */
const MAX_BYTES = 512 * 1024 * 1024

/**
 * Reads the first `limit` pages of a folder.
 * @throws CliError usage: the message names the line of manifest.jsonl that is wrong
 */
export async function readPages(dir: string, limit: number): Promise<Page[]> {
  const path = resolve(dir, 'manifest.jsonl')
  const bytes = await collectFile(path, path, MAX_BYTES).catch(error => {
    if (error instanceof CliError) throw error
    throw new CliError(
      EXIT.usage,
      `${path} cannot be read (${(error as Error).message}); --data names the folder with manifest.jsonl.`,
    )
  })
  const lines = bytes
    .toString()
    .split('\n')
    .map((line, index) => ({ line, where: `${path}:${index + 1}` }))
  const pages = lines
    .filter(({ line }) => line.trim() !== '')
    .slice(0, limit)
    .map(({ line, where }) => toPage(line, where, dir))
  if (pages.length === 0) throw new CliError(EXIT.usage, `${path} has no pages.`)
  return pages
}

function toPage(line: string, where: string, dir: string): Page {
  const wrong = (what: string) => new CliError(EXIT.usage, `${where}: ${what}`)
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    throw wrong('is not JSON.')
  }
  const text = (name: string): string => {
    const value = entry[name]
    if (typeof value === 'string' && value !== '') return value
    throw wrong(`"${name}" must be a text.`)
  }
  const { answers, box, kind } = entry
  if (!Array.isArray(answers) || answers.length === 0 || answers.some(answer => typeof answer !== 'string'))
    throw wrong('"answers" must be a list of texts, with one at least.')
  return {
    id: String(entry.id ?? where),
    kind: typeof kind === 'string' ? kind : 'page',
    image: resolve(dir, text('image')),
    question: text('question'),
    answers: answers as string[],
    box: box === undefined || box === null ? null : toCorners(box, wrong),
  }
}

function toCorners(box: unknown, wrong: (what: string) => CliError): Corners {
  const numbers = Array.isArray(box) ? (box as unknown[]) : []
  const [x1, y1, x2, y2] = numbers
  const inside = numbers.length === 4 && numbers.every(n => typeof n === 'number' && n >= 0 && n <= 100)
  if (inside && Number(x2) > Number(x1) && Number(y2) > Number(y1))
    return [Number(x1), Number(y1), Number(x2), Number(y2)]
  throw wrong('"box" must be [x1, y1, x2, y2] in per cent, x2 > x1 and y2 > y1.')
}
