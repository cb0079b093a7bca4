import { type Box, FULL_BOX, parseBox } from '../box.js'
import type { RawImage } from '../image.js'
import { cropperPrompt } from '../prompts.js'
import type { Grammar } from '../vlm/grammar.js'
import type { Generation, Idefics3 } from '../vlm/model.js'
import { boxGrammar, boxTokens } from './grammar.js'

/** The region of one image that helps to answer one question. */
export interface FoundBox {
  /** As the model gave it; the whole image where `decision` is `fallback`. */
  box: Box
  decision: 'zoomed' | 'fallback'
  /** Why there is no valid box; null where there is one. */
  reason: string | null
  /** exp of the mean log-probability of the tokens that the model chose freely, 0..1. */
  confidence: number
  /** The model's own text, without the leading space. */
  raw: string
  /** Longest edge that the model saw, in pixels. */
  resolution: number
  tiles: number
  generatedTokens: number
  /** Milliseconds. */
  timings: Generation['timings']
}

export interface FindBoxOptions {
  /** Longest edge in pixels; null: the model's own. */
  resolution: number | null
  /** Whether the box grammar masks the logits; without it an invalid answer is a `fallback`. */
  constrained: boolean
  signal: AbortSignal
}

// The longest box, ` [99, 99, 100, 100].`, and its end are 19 tokens; the paper allows 32 (contract, GRPO).
const MAX_NEW_TOKENS = 32

/** Asks the cropper. Throws what `model.generate` throws, and `invalid_model` if its tokenizer cannot write boxes. */
export async function findBox(
  model: Idefics3,
  image: RawImage,
  question: string,
  { resolution, constrained, signal }: FindBoxOptions,
): Promise<FoundBox> {
  const { text, tokens, logProbs, free, tiles, timings, ...generation } = await model.generate({
    images: [image],
    text: cropperPrompt(question),
    resolution,
    maxNewTokens: MAX_NEW_TOKENS,
    temperature: 0,
    grammar: constrained ? grammarOf(model) : null,
    signal,
  })
  const parsed = parseBox(text)
  const verdict =
    'box' in parsed
      ? ({ box: parsed.box, decision: 'zoomed', reason: null } as const)
      : ({ box: FULL_BOX, decision: 'fallback', reason: parsed.problem } as const)
  return {
    ...verdict,
    confidence: confidence(logProbs, free),
    raw: text.trimStart(),
    resolution: generation.resolution,
    tiles,
    generatedTokens: tokens.length,
    timings,
  }
}

const grammars = new WeakMap<Idefics3, Grammar>()

/** Built once a model: it depends on the tokenizer only. */
function grammarOf(model: Idefics3): Grammar {
  const known = grammars.get(model) ?? boxGrammar(boxTokens(model.tokenizer))
  grammars.set(model, known)
  return known
}

function confidence(logProbs: readonly (number | null)[], free: readonly boolean[]): number {
  const chosen = logProbs.filter((logProb, i): logProb is number => logProb !== null && free[i] === true)
  if (chosen.length === 0) return 0
  return Math.exp(chosen.reduce((a, b) => a + b, 0) / chosen.length)
}
