import type { TargetProfile } from '../config/target-profile.js'
import type { Patience } from '../engine/engine.js'
import type { Picture } from '../image/picture.js'
import type { BreakerState } from '../openai/breaker.js'
import type { Usage } from '../openai/usage.js'

export interface TargetRequest extends Patience {
  /** The whole image and the region, in prompt order; at least one. */
  full: Picture | null
  crop: Picture | null
  /** As the caller sent it. */
  question: string
  maxTokens: number
  /** 0 is greedy. */
  temperature: number
}

export interface TargetAnswer {
  /**
   * Stripped, without the thinking. Empty where the target refused; never otherwise from an endpoint, while a local model
   * may really say nothing.
   */
  text: string
  /** What the target thought before it answered, stripped; null where it did not, or does not tell. */
  reasoning: string | null
  /** The words with which the target declined to answer; null where it did not, or said so in its text. */
  refusal: string | null
  /** Why the text ends: `stop`, `length` (it is cut), or another word of the endpoint's; null where that does not say. */
  finishReason: string | null
  usage: Usage | null
}

/** What answers a question from pictures: a VLM at an OpenAI-compatible endpoint or in the engine, or the text reader. */
export interface Target {
  readonly name: string
  readonly model: string
  /** `reader`: it reads text and takes a line; it knows nothing of what a picture shows. */
  readonly kind: 'vlm' | 'reader'
  /** Longest edge in pixels to which the full image is shrunk, the crop shrunk or enlarged; null: neither. */
  readonly fullLongestEdge: number | null
  readonly cropLongestEdge: number | null
  /** Whether it sees a small crop enlarged: to `cropLongestEdge`, or where that is null, whatever the crop's size. */
  readonly enlarges: boolean
  /** What it is shown and told; left out for what the engine runs, which takes any picture and gets the contract's text. */
  readonly profile?: TargetProfile
  /** What users of its answers should know. */
  readonly warnings: readonly string[]
  /** Whether the engine runs it. */
  readonly local: boolean
  /** Whether it is asked while its endpoint fails; null where it always is. */
  readonly breaker: BreakerState | null
  /** @throws CropVlmError target_failed, target_timeout, request_aborted; a local target also what the engine throws */
  answer(request: TargetRequest): Promise<TargetAnswer>
}
