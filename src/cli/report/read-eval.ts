/** The cases of what `cropvlm eval --out` writes. */
import { CliError } from '../command.js'
import { readPages } from '../eval/pages.js'
import type { Report } from '../eval/report.js'
import { type Case, corners, iouOf, numberOrNull, type Source, said, textOr, texts } from './case.js'

/**
 * @param data The folder with manifest.jsonl; null: the one that was evaluated.
 * @throws CliError usage: `data` was given, and cannot be read
 */
export async function readEval(report: Report, data: string | null): Promise<Source> {
  const notes: string[] = []
  const pages = await readPages(data ?? report.data, Number.POSITIVE_INFINITY).catch(error => {
    if (data !== null || !(error instanceof CliError)) throw error
    notes.push(`No pictures: ${error.message}`)
    return []
  })
  const images = new Map(pages.map(({ id, image }) => [id, image]))
  const models = Array.isArray(report.info.models) ? (report.info.models as { id?: unknown }[]) : []
  return {
    cases: report.pages.map(page => toCase(page, images)),
    facts: [
      ['Data', report.data],
      ['Made', report.created],
      ['Models', models.map(({ id }) => textOr(id, '?')).join(', ')],
      [
        'Options',
        Object.entries(report.options)
          .map(pair => pair.join('='))
          .join(', '),
      ],
    ],
    notes,
  }
}

function toCase(page: Record<string, unknown>, images: ReadonlyMap<string, string>): Case {
  const answers = texts(page.answers)
  const [box, trueBox] = [corners(page.bbox), corners(page.box)]
  const id = textOr(page.id, '')
  return {
    id,
    kind: textOr(page.kind, 'page'),
    question: textOr(page.question, ''),
    answers,
    image: images.get(id) ?? null,
    trueBox,
    box,
    iou: iouOf(box, trueBox),
    decision: textOr(page.decision, null),
    reason: textOr(page.reason, null),
    confidence: numberOrNull(page.confidence),
    withCrop: said(page.answer, page.refusal, answers),
    without: said(page.answer_without_crop, page.refusal_without_crop, answers),
    error: 'error' in page ? `${textOr(page.status, 'no reply')}: ${textOr(page.error, '')}` : null,
  }
}
