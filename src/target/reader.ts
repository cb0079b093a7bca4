import type { ReaderTargetConfig } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { Picture } from '../image/picture.js'
import { READER_ID } from '../ocr/page.js'
import { chooseLines } from '../text/rule.js'
import { runTargetJob } from './engine-job.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'

/** What it says where the pictures hold no line that fits. */
const NO_ANSWER = 'unanswerable'

/** It takes a line as it stands, or none. */
const WHOLE_LINE = { reasoning: null, refusal: null, finishReason: 'stop', usage: null }

/**
 * The text reader as a target. It answers with the line that the question is about, as the rule of the `text` cropper
 * takes it: from the crop, and where that has none, or there is none, from the full image.
 */
export function readerTarget({ name, timeoutMs }: ReaderTargetConfig, engine: Engine): Target {
  return {
    name,
    model: READER_ID,
    kind: 'reader',
    fullLongestEdge: null,
    cropLongestEdge: null,
    enlarges: false,
    warnings: [],
    local: true,
    breaker: null,
    answer: request => answer(request, timeoutMs, engine),
  }
}

async function answer(request: TargetRequest, timeoutMs: number, engine: Engine): Promise<TargetAnswer> {
  for (const picture of [request.crop, request.full]) {
    if (picture === null) continue
    const text = await lineOf(picture, request, timeoutMs, engine)
    if (text !== null) return { ...WHOLE_LINE, text }
  }
  return { ...WHOLE_LINE, text: NO_ANSWER }
}

/** The line of one picture that the question is about; null where none is. */
async function lineOf(
  { bytes, width, height }: Picture,
  request: TargetRequest,
  timeoutMs: number,
  engine: Engine,
): Promise<string | null> {
  const job = { kind: 'read', image: bytes, madeBy: 'service', keepPixels: false } as const
  const { lines } = await runTargetJob(engine, job, request, timeoutMs, 'The text reader')
  const { reason, text } = chooseLines({ lines, size: { width, height } }, request.question)
  return reason === null ? text : null
}
