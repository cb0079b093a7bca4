/** Boxes from where a model looks, which needs no training (ViCrop's relative attention). */
import { FULL_BOX, roundOutwards } from '../../../contract/box.js'
import { targetPrompt } from '../../../contract/prompts.js'
import type { ImageAttention } from '../../../vlm/attention/attend.js'
import { attentionBox, baseSide } from '../../../vlm/attention/box.js'
import { GENERAL_QUESTION } from '../../../vlm/attention/map.js'
import type { VisionLanguageModel } from '../../../vlm/model.js'
import type { BoxFound, BoxRequest } from '../find-boxes.js'

/** A box that no text was written for: there is no confidence in one. */
export type BoxSeen = Omit<BoxFound, 'confidence'> & { confidence: null }

/**
 * Finds one box for each request, in their order. The model is asked the target's prompt, and what counts is where the
 * prompt's last token looks, after which the answer would begin. There is no confidence. A request that fails is a
 * rejected outcome, with the errors of `VisionLanguageModel.attendAll`, and does not affect the others.
 */
export async function findBoxesByAttention(
  model: VisionLanguageModel,
  requests: readonly BoxRequest[],
): Promise<PromiseSettledResult<BoxSeen>[]> {
  const outcomes = await model.attendAll(
    requests.map(({ question, ...request }) => ({
      ...request,
      text: targetPrompt(question),
      general: targetPrompt(GENERAL_QUESTION),
    })),
  )
  return outcomes.map(outcome =>
    outcome.status === 'fulfilled' ? { status: 'fulfilled', value: found(outcome.value) } : outcome,
  )
}

function found({ map, tile, runs, ...attention }: ImageAttention): BoxSeen {
  const { size } = attention
  const isUsable = map.cells.every(Number.isFinite)
  return {
    ...attention,
    box: isUsable ? roundOutwards(attentionBox(map, size, baseSide(map, size, tile))) : FULL_BOX,
    decision: isUsable ? 'zoomed' : 'fallback',
    reason: isUsable ? null : 'no_box',
    confidence: null,
    raw: '',
    generatedTokens: 0,
    nonGreedyTokens: 0,
    runs,
    group: { size: 1 },
  }
}
