import type { PixelGrid } from '../../image/grid.js'
import type { Growth } from './growth.js'
import type { BoxText } from './read/box-text.js'
import type { Written } from './read/written.js'

/** How one family of models is asked for a region, and how it writes one. */
export interface Dialect {
  /** As `CROPPER_BOXES` names it. */
  readonly name: string
  /** Recognises the names that endpoints give such models; null: nothing but `CROPPER_BOXES` chooses it. */
  readonly models: RegExp | null
  prompt(question: string): Prompt
  /** The first box of an answer, or null where it has none. Never throws. */
  read(written: Written): BoxText | null
  readonly order: 'xyxy' | 'yxyx'
  /** What a whole side of the frame counts; `pixels`: as many as the picture that was sent has. */
  readonly scale: number | 'pixels'
  /** What the numbers are parts of: the image, or the image padded to a square with itself in the middle. */
  readonly frame: 'image' | 'square'
  readonly picture: PictureNeed
  /** How much larger than the model's box the region is to be. */
  readonly growth: Growth
  /** Most tokens of an answer, its reasoning included. */
  readonly maxTokens: number
  /** A regular expression of the whole answer, for endpoints that can hold a model to one. */
  readonly grammar: string
}

export interface Prompt {
  /** Message before the user's; null: none. */
  system: string | null
  /** What follows the picture in the user's message. */
  text: string
}

/** The smallest picture that keeps what the model needs. */
interface PictureNeed {
  /** Longest edge in pixels; a smaller image is not enlarged to it. */
  readonly longestEdge: number
  /** Sizes that the model's image processor leaves as they are; null: it does not matter. */
  readonly grid: PixelGrid | null
}
