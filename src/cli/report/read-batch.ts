/** The cases of what `cropvlm batch --out` writes as JSONL. */
import { dirname, resolve } from 'node:path'
import { CliError, EXIT } from '../command.js'
import { type Case, corners, iouOf, numberOrNull, type Source, said, textOr, texts } from './case.js'

const LINK = /^https?:\/\//i

/**
 * @param data Where relative paths of images begin; null: beside the file.
 * @throws CliError usage: a line is no row of a batch
 */
export function readBatch(file: string, text: string, data: string | null): Source {
  const images = data ?? dirname(file)
  const lines = text.split('\n').map((line, i) => ({ line, where: `${file}:${i + 1}` }))
  const cases = lines.filter(({ line }) => line.trim() !== '').map(({ line, where }) => toCase(line, where, images))
  return { cases, facts: [['Batch', file]], notes: [] }
}

function toCase(line: string, where: string, images: string): Case {
  let row: Record<string, unknown>
  try {
    row = JSON.parse(line) as Record<string, unknown>
  } catch {
    throw new CliError(
      EXIT.usage,
      `${where} is not JSON; FILE is what \`cropvlm eval --out\` or \`cropvlm batch\` writes.`,
    )
  }
  const answers = texts(row.answers)
  const [box, trueBox] = [corners(row.bbox), corners(row.box)]
  const image = textOr(row.image, null)
  const compare = (row.compare ?? {}) as Record<string, unknown>
  const error = row.error as { code?: unknown; message?: unknown } | null | undefined
  return {
    id: textOr(row.id, textOr(row.index, where)),
    kind: textOr(row.kind, 'page'),
    question: textOr(row.question, ''),
    answers,
    image: image === null || LINK.test(image) ? null : resolve(images, image),
    trueBox,
    box,
    iou: iouOf(box, trueBox),
    decision: textOr(row.decision, null),
    reason: textOr(row.reason, null),
    confidence: numberOrNull(row.confidence),
    withCrop: said(row.answer, row.refusal, answers),
    without: said(compare.answer, compare.refusal, answers),
    error: error ? `${textOr(error.code, '?')}: ${textOr(error.message, '')}` : null,
  }
}
