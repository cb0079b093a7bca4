import type { PixelGrid } from '../../../image/grid.js'
import { FAMILIES } from '../../../openai/families.js'
import type { Dialect } from '../dialect.js'
import { listOf, PIXELS, THOUSANDTHS } from '../grammar.js'
import { noGrowth, table3 } from '../growth.js'
import { seedPrompt } from '../prompts.js'
import { reader } from '../read/read.js'

/** Of Qwen2-VL and Qwen2.5-VL, and of what was trained from them: 14-pixel patches, merged two by two. */
export const QWEN2_GRID: PixelGrid = { multipleOf: 28, minPixels: 4 * 28 * 28, maxPixels: 16_384 * 28 * 28 }
/** Of Qwen3-VL: 16-pixel patches, merged two by two. */
const QWEN3_GRID: PixelGrid = { multipleOf: 32, minPixels: 64 * 32 * 32, maxPixels: 16_384 * 32 * 32 }

const read = reader()
const json = (number: string) => `\\{"bbox_2d": ${listOf(number)}\\}`

/** Writes pixels of the picture as its image processor has resized it: so it is sent one that needs no resizing. */
export const qwen25: Dialect = {
  name: 'qwen2.5-vl',
  models: FAMILIES['qwen2.5-vl'],
  prompt: seedPrompt,
  read,
  order: 'xyxy',
  scale: 'pixels',
  frame: 'image',
  picture: { longestEdge: 1024, grid: QWEN2_GRID },
  growth: table3,
  maxTokens: 256,
  grammar: json(PIXELS),
}

/** Also writes `<|box_start|>(x1,y1),(x2,y2)<|box_end|>`, of which servers may drop the special tokens. */
export const qwen2: Dialect = {
  ...qwen25,
  name: 'qwen2-vl',
  models: FAMILIES['qwen2-vl'],
  scale: 1000,
  growth: noGrowth,
  grammar: json(THOUSANDTHS),
}

/** Its authors advise 1,024 to 2,048 image tokens of 32x32 pixels. The Thinking models reason first. */
export const qwen3: Dialect = {
  ...qwen2,
  name: 'qwen3-vl',
  models: FAMILIES['qwen3-vl'],
  picture: { longestEdge: 1280, grid: QWEN3_GRID },
  maxTokens: 2048,
}

/** GLM-4.1V, 4.5V and 4.6V. Reason first, and may write `<|begin_of_box|>[[x1,y1,x2,y2]]<|end_of_box|>`. */
export const glm: Dialect = {
  ...qwen2,
  name: 'glm-v',
  models: /glm-?4(?:\.\d)?v/i,
  picture: { longestEdge: 1024, grid: null },
  maxTokens: 2048,
}
