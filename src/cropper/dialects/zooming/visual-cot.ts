import type { Dialect } from '../dialect.js'
import { listOf, PARTS } from '../grammar.js'
import { atLeast, noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** Visual-CoT (VisCoT), from LLaVA: sees the image padded to a square, and writes parts of that square. */
export const visualCot: Dialect = {
  name: 'visual-cot',
  models: /vis(?:ual)?-?_?cot/i,
  prompt: question => ({
    system: null,
    text: `${question} Please provide the bounding box coordinate of the region that can help you answer the question better.`,
  }),
  read: reader(),
  order: 'xyxy',
  scale: 1,
  frame: 'square',
  // what CLIP ViT-L/14-336 takes
  picture: { longestEdge: 336, grid: null },
  growth: noGrowth,
  maxTokens: 128,
  grammar: listOf(PARTS),
}

/** UV-CoT: the same without labelled boxes; what it zooms into is at least as large as what its vision encoder takes. */
export const uvCot: Dialect = { ...visualCot, name: 'uv-cot', models: /uv-?_?cot/i, growth: atLeast(336) }
