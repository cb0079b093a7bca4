/** How the boxes and answers of one evaluation differ from those of an earlier one on the same pages. */
import { collectFile } from '../collect.js'
import { CliError, EXIT } from '../command.js'
import type { Report } from './report.js'

export interface Comparison {
  /** Pages that both reports have. */
  pages: number
  /** Ids of the pages whose box, or decision, is another. */
  boxes: string[]
  /** Ids of the pages with another answer, from the crop or from the full image alone. */
  answers: string[]
}

/** As long as a text can be. */
const MAX_BYTES = 512 * 1024 * 1024

/** Reads a report that `--out` wrote. @throws CliError usage */
export async function readReport(file: string): Promise<Pick<Report, 'pages'>> {
  try {
    const report = JSON.parse((await collectFile(file, file, MAX_BYTES)).toString()) as Partial<Report>
    if (Array.isArray(report.pages)) return { pages: report.pages }
  } catch (error) {
    throw new CliError(
      EXIT.usage,
      `${file} cannot be read (${(error as Error).message}); give a file that --out wrote.`,
    )
  }
  throw new CliError(EXIT.usage, `${file} has no pages; give a file that --out wrote.`)
}

/** Compares pages by their ids. A page whose request failed in one of them differs in both ways. */
export function compareReports(before: Pick<Report, 'pages'>, now: Pick<Report, 'pages'>): Comparison {
  const earlier = new Map(before.pages.map(page => [page.id, page]))
  const both = now.pages.flatMap(page => {
    const old = earlier.get(page.id)
    return old ? [{ id: String(page.id), old, page }] : []
  })
  const differing = (...fields: string[]) =>
    both.filter(({ old, page }) => fields.some(field => !isSame(old[field], page[field]))).map(({ id }) => id)
  return {
    pages: both.length,
    boxes: differing('bbox', 'decision'),
    answers: differing('answer', 'answer_without_crop'),
  }
}

/** One line for each kind of difference, with the first pages that have it. */
export function describeComparison({ pages, boxes, answers }: Comparison, file: string): string {
  const some = (ids: readonly string[]) =>
    ids.length === 0 ? '' : ` (${ids.slice(0, 5).join(', ')}${ids.length > 5 ? ', ...' : ''})`
  return `Of ${pages} pages that ${file} has too, ${boxes.length} have another box${some(boxes)} and ${answers.length} another answer${some(answers)}.\n`
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}
