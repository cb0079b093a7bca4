import { type Box, FULL_BOX, parseBox } from '../../contract/box.js'
import { cropperPrompt } from '../../contract/prompts.js'
import type { Grammar } from '../../vlm/decoding/grammar.js'
import type { VisionLanguageModel } from '../../vlm/model.js'
import type { GenerateRequest, Generation, PromptImage } from '../../vlm/request.js'
import { boxGrammar, boxTokens } from './box-grammar.js'

export interface BoxRequest {
  image: PromptImage
  question: string
  /** Longest edge in pixels; null: the model's own. */
  resolution: number | null
  signal: AbortSignal
}

/** The region of one image that helps to answer one question. */
export interface BoxFound
  extends Pick<
    Generation,
    'resolution' | 'tiles' | 'size' | 'runs' | 'nonGreedyTokens' | 'reused' | 'group' | 'timings' | 'intervals'
  > {
  /** As the model gave it; the whole image if it gave none that is valid. */
  box: Box
  decision: 'zoomed' | 'fallback'
  /** Why there is no box to be used; null where there is one. */
  reason: string | null
  /** exp of the mean log-probability of the tokens that the model chose freely, 0..1. */
  confidence: number
  /** The model's own text, without the leading space. */
  raw: string
  generatedTokens: number
}

// The longest box, ` [99, 99, 100, 100].`, and its end are 19 tokens; the paper allows 32 (contract, GRPO).
const MAX_NEW_TOKENS = 32

/**
 * Asks the cropper model for one box for each request, in their order. A request that fails is a rejected outcome, with
 * the errors of `VisionLanguageModel.generateAll`, and does not affect the others.
 * @param constrained Whether the box grammar masks the logits; without it an invalid answer is a `fallback`.
 * @throws CropVlmError invalid_model if the model's tokenizer cannot write boxes
 */
export async function findBoxes(
  model: VisionLanguageModel,
  requests: readonly BoxRequest[],
  constrained: boolean,
): Promise<PromiseSettledResult<BoxFound>[]> {
  const grammar = constrained ? grammarOf(model) : null
  const outcomes = await model.generateAll(
    requests.map(
      ({ image, question, resolution, signal }): GenerateRequest => ({
        images: [image],
        text: cropperPrompt(question),
        resolution,
        maxNewTokens: MAX_NEW_TOKENS,
        temperature: 0,
        grammar,
        signal,
      }),
    ),
  )
  return outcomes.map(outcome =>
    outcome.status === 'fulfilled' ? { status: 'fulfilled', value: found(outcome.value) } : outcome,
  )
}

/** Asks for one box. Throws the errors of both kinds described at `findBoxes`. */
export async function findBox(
  model: VisionLanguageModel,
  request: BoxRequest,
  constrained: boolean,
): Promise<BoxFound> {
  const [outcome] = await findBoxes(model, [request], constrained)
  if (outcome?.status === 'fulfilled') return outcome.value
  throw outcome?.reason
}

function found({ text, tokens, logProbs, promptTokens: _, ...generation }: Generation): BoxFound {
  return {
    ...generation,
    ...verdict(parseBox(text), tokens.length, generation.nonGreedyTokens),
    confidence: confidence(logProbs),
    raw: text.trimStart(),
    generatedTokens: tokens.length,
  }
}

/**
 * A model that was not taught to write boxes still writes one under the grammar, but it would not have written most of
 * its tokens by itself. A trained one, whatever the picture, has the form in its weights: of the bundled cropper's 17
 * tokens none is overruled, of those of random weights 15.
 */
function verdict(
  parsed: ReturnType<typeof parseBox>,
  tokens: number,
  nonGreedyTokens: number,
): Pick<BoxFound, 'box' | 'decision' | 'reason'> {
  if (!('box' in parsed)) return { box: FULL_BOX, decision: 'fallback', reason: parsed.problem }
  if (nonGreedyTokens > tokens / 2) return { box: parsed.box, decision: 'fallback', reason: 'not_a_cropper' }
  return { box: parsed.box, decision: 'zoomed', reason: null }
}

const grammars = new WeakMap<VisionLanguageModel, Grammar>()

/** The grammar of a model's tokenizer, built once for each model. */
function grammarOf(model: VisionLanguageModel): Grammar {
  const known = grammars.get(model) ?? boxGrammar(boxTokens(model.tokenizer))
  grammars.set(model, known)
  return known
}

function confidence(logProbs: readonly (number | null)[]): number {
  const chosen = logProbs.filter(logProb => logProb !== null)
  if (chosen.length === 0) return 0
  return Math.exp(chosen.reduce((a, b) => a + b, 0) / chosen.length)
}
