import type { Size } from '../contract/box.js'
import { type ImageSource, type RawImage, rawSource } from '../image/decode.js'
import type { Grammar } from './decoding/grammar.js'
import type { GenerationStage, Interval } from './stages.js'

/** An image of a prompt. It is opened only if nothing is known of it yet. */
export interface PromptImage {
  /**
   * Identifies the image, for example by a hash of its file: what is computed of it is kept under this key. null:
   * nothing is kept.
   */
  key: string | null
  /** May be called several times, or not at all. */
  open(): Promise<ImageSource>
}

export interface GenerateRequest {
  /** In prompt order. */
  images: readonly PromptImage[]
  /** The user's text, which follows the images. */
  text: string
  /** Longest edge the images are brought to, in pixels; null: the model's own. */
  resolution: number | null
  /** The answer may be cut shorter if the model has no positions left, but never under a grammar. */
  maxNewTokens: number
  /** 0 is greedy. */
  temperature: number
  /** null: any text may be written. */
  grammar: Grammar | null
  signal: AbortSignal
}

export interface Generation {
  /** Without special tokens. */
  text: string
  /** The answer, including the end token if one was reached. */
  tokens: number[]
  /** Whether the model ended the answer, or the grammar did; if not, there was no room for more tokens. */
  isComplete: boolean
  /** For each token its log-probability under the model, given the tokens before it; null for a forced token. */
  logProbs: (number | null)[]
  /** Runs of the decoder, the prefill included. */
  runs: number
  /** Tokens that are not the model's most likely one: the grammar forced or masked, or they were drawn. */
  nonGreedyTokens: number
  promptTokens: number
  /** Of all images together. */
  tiles: number
  /** Of the first image, upright. */
  size: Size
  /**
   * Whether something was reused that an earlier request, or another of the same batch, computed of the first image.
   */
  reused: boolean
  resolution: number
  /** Prompts that were prefilled and decoded together share one object. */
  group: { size: number }
  /** Milliseconds. A stage that was gone through for several prompts at once counts in full for each of them. */
  timings: Record<GenerationStage, number>
  /** When its stages were at work. Prompts that went through one together share the object; what was reused has none. */
  intervals: readonly Interval[]
}

/** A decoded image as an image of a prompt; nothing of it is kept. */
export function plainImage(image: RawImage): PromptImage {
  return { key: null, open: async () => rawSource(image) }
}
