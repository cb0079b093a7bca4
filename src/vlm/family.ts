import type { Size } from '../contract/box.js'
import type { ImageSource } from '../image/decode.js'
import type { AttentionMap } from './attention/box.js'
import type { Session } from './onnx/session.js'
import type { Tokenizer } from './tokens/tokenizer.js'

/** How an image is cut for the vision encoder. A family adds what it needs. */
export interface Grid {
  /** Tiles in all. */
  readonly tiles: number
}

/** An image resized for the vision encoder. Only the family that made it knows what is in it. */
export type ProcessedImage = object

/** What the vision encoder makes of one image: a row for each of the image's tokens in the prompt, `[rows, dim]`. */
export interface Features {
  data: Float32Array
  dim: number
}

/**
 * What one family of vision-language models does in its own way, set up from the configuration of one model folder.
 * The rest (the decoder, the KV cache, sampling) is the same for all families.
 */
export interface ModelFamily<G extends Grid = Grid, P extends ProcessedImage = ProcessedImage> {
  readonly tokenizer: Tokenizer
  /** Id of the token of the prompt whose embedding is replaced by a row of an image's features. */
  readonly imageToken: number
  /** Id of the token that ends a message of the chat. */
  readonly endOfMessage: number
  /** Edge of a square tile, in pixels: the smallest resolution. */
  readonly tile: number
  /** Tokens of the prompt that one tile takes. */
  readonly tokensPerTile: number
  /** The largest resolution that the processor was configured for, in pixels of the longest edge. */
  readonly maxEdge: number

  /** How an image of this size is cut if its longest edge is brought to `longestEdge` pixels. */
  gridOf(size: Size, longestEdge: number): G
  /** Resizes an image as `grid` says. @throws CropVlmError image_undecodable, from a source that is decoded only now */
  process(image: ImageSource, grid: G): Promise<P>
  /** Token ids of the whole prompt: the chat template around the images, in this order, and the user's text. */
  promptIds(images: readonly G[], text: string): number[]
  /** The map of an image that was cut so, from the attention on its tokens in the prompt. */
  attentionMap(grid: G, attention: Float32Array): AttentionMap
  /**
   * Runs the vision encoder over all tiles of several images, and returns the features of each image.
   * @param pixelsPerRun Most pixels of one run, but at least one tile is taken.
   * @throws CropVlmError invalid_model if the graph has inputs that cannot be fed, request_aborted between two runs
   */
  encode(vision: Session, images: readonly P[], pixelsPerRun: number, signal: AbortSignal): Promise<Features[]>
}
