import type { Dialect } from '../dialect.js'
import { listOf, PARTS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** VisRL: a Python list, of parts of the image as it is, although its training data are Visual-CoT's. */
export const visrl: Dialect = {
  name: 'visrl',
  models: /vis-?rl/i,
  prompt: question => ({
    system: null,
    text: `${question} Please first provide the bounding box coordinate of the region, then refer to the corresponding sub-image to answer the question better.`,
  }),
  read: reader(),
  order: 'xyxy',
  scale: 1,
  frame: 'image',
  picture: { longestEdge: 1024, grid: null },
  growth: noGrowth,
  maxTokens: 256,
  grammar: listOf(PARTS),
}
