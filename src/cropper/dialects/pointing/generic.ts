import type { Dialect } from '../dialect.js'
import { listOf, THOUSANDTHS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** Any VLM, told in words what to write. How well it points is its own affair. */
export const generic: Dialect = {
  name: 'generic',
  models: null,
  prompt: question => ({
    system: null,
    text: `Which region of the image helps most to answer this question: ${question}\nAnswer with nothing but JSON, {"bbox": [x1, y1, x2, y2]}: the left, top, right and bottom edge of that region in thousandths of the image's width and height, as whole numbers from 0 to 1000.`,
  }),
  read: reader(),
  order: 'xyxy',
  scale: 1000,
  frame: 'image',
  picture: { longestEdge: 1024, grid: null },
  growth: noGrowth,
  maxTokens: 512,
  grammar: `\\{"bbox": ${listOf(THOUSANDTHS)}\\}`,
}
