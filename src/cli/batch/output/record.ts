/** A row of the output. */
import type { AnswerReply, CropReply } from '../../../client/client.js'
import { isProblem, type Row } from '../input/row.js'

/** Why a row has no result. */
export interface RowError {
  code: string
  message: string
  /** The HTTP status; null where the service was not asked. */
  status: number | null
}

/** What was found for a row, without pictures. */
export interface Found {
  bbox: number[]
  bbox_pixels: number[]
  image_width: number
  image_height: number
  decision: string
  reason: string | null
  would_skip: string | null
  confidence: number | null
  raw: string
  model: string
}

/** What a target said. */
export interface Said {
  answer: string
  finish_reason: string | null
  refusal: string | null
  target: string
  usage: { prompt_tokens: number; completion_tokens: number } | null
  /** The answer without the crop; absent where it was not asked for. */
  compare?: { answer: string; agrees: boolean; refusal: string | null }
}

export interface OutputRecord extends Partial<Found>, Partial<Said> {
  key: string
  index: number
  error: RowError | null
  id: string | number | null
  image: string | null
  question: string | null
  /** Keys of the row that are neither id, image nor question. */
  copied: Readonly<Record<string, unknown>>
  /** Path of the crop. */
  crop?: string
  /** Milliseconds from the request, the last one where it was repeated, to the whole reply. */
  latency_ms?: number
}

/** What identifies a row in the output: the row's hash, and that of the run's options. */
export function keyOf(hash: bigint, run: string): string {
  return `${hash.toString(16).padStart(16, '0')}-${run}`
}

/** The parts of a record that are known before the row is asked. */
export function startOf({ hash, index, content }: Row, run: string): Omit<OutputRecord, 'error'> {
  const key = keyOf(hash, run)
  if (isProblem(content)) return { key, index, id: content.id, image: null, question: null, copied: {} }
  const { id, imageName, question, copied } = content
  return { key, index, id, image: imageName, question, copied }
}

export function foundOf(reply: CropReply | AnswerReply): Found {
  const { bbox, bbox_pixels, image, decision, reason, would_skip, confidence, raw, model } = reply
  const { width: image_width, height: image_height } = image
  const region = { bbox, bbox_pixels, image_width, image_height, decision, reason, would_skip, confidence, raw }
  return { ...region, model: model.id }
}

export function saidOf({ answer, finish_reason, refusal, target, compare }: AnswerReply): Said {
  return {
    answer,
    finish_reason,
    refusal,
    target: target.name,
    usage: target.usage,
    ...(compare ? { compare: { answer: compare.answer, agrees: compare.agrees, refusal: compare.refusal } } : {}),
  }
}
