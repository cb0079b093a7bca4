import { FAMILIES } from '../../../openai/families.js'
import type { Dialect } from '../dialect.js'
import { listOf, THOUSANDTHS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** Gemini through its OpenAI-compatible endpoint: y before x, and both ends of a side come swapped at times. */
export const gemini: Dialect = {
  name: 'gemini',
  models: FAMILIES.gemini,
  prompt: question => ({
    system: null,
    text: `Outline the region in the image that would help answer the following question: ${question}\nReturn one bounding box as JSON, {"box_2d": [ymin, xmin, ymax, xmax]}, normalized to 0-1000. Never return masks or code fencing.`,
  }),
  read: reader(),
  order: 'yxyx',
  scale: 1000,
  frame: 'image',
  // two tiles of 768 pixels
  picture: { longestEdge: 1536, grid: null },
  growth: noGrowth,
  // what it thinks counts
  maxTokens: 2048,
  grammar: `\\{"box_2d": ${listOf(THOUSANDTHS)}\\}`,
}
