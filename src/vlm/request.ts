import type { Size } from '../contract/box.js'
import type { Timings } from '../engine/protocol.js'
import { type ImageSource, type RawImage, rawSource } from '../image/decode.js'
import type { Grammar } from './decoding/grammar.js'

/** An image of a prompt, read only where it is needed. */
export interface PromptImage {
  /** What tells it from all others (a hash of its file): what was computed of it is kept under this. null: kept nowhere. */
  key: string | null
  /** May be called more than once, or not at all. */
  open(): Promise<ImageSource>
}

export interface GenerateRequest {
  /** In prompt order. */
  images: readonly PromptImage[]
  /** All user text after the images. */
  text: string
  /** Longest edge the images are brought to, in pixels; null: the model's own. */
  resolution: number | null
  /** Fewer where the model has no positions left, unless a grammar needs them all. */
  maxNewTokens: number
  /** 0 is greedy. */
  temperature: number
  /** null: free decoding. */
  grammar: Grammar | null
  signal: AbortSignal
}

export interface Generation {
  /** Without special tokens. */
  text: string
  /** The end token included, where one was reached. */
  tokens: number[]
  /** Log-probability under the model of each token there was a choice for; null for those that a grammar forced. */
  logProbs: (number | null)[]
  /** Runs of the decoder, the prefill included. */
  runs: number
  /** Tokens that are not the likeliest under the model: forced on it, masked, or drawn. */
  overruled: number
  promptTokens: number
  tiles: number
  /** Of the first image, upright. */
  size: Size
  /** Whether what an earlier request, or another of the same batch, computed of the first image was used again. */
  reused: boolean
  resolution: number
  /** Prompts that were prefilled and decoded together share one. */
  group: { size: number }
  /** Milliseconds; of what was done for several prompts at once, all of it. */
  timings: Pick<Timings, 'decode' | 'preprocess' | 'vision' | 'prefill' | 'generate'>
}

/** An image read for a caller that holds it already; nothing of it is kept. */
export function plainImage(image: RawImage): PromptImage {
  return { key: null, open: async () => rawSource(image) }
}
