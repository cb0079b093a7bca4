import { FAMILIES } from '../../../openai/families.js'
import type { Dialect } from '../dialect.js'
import { listOf, THOUSANDTHS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** InternVL: trained to locate a phrase in `<ref>`, and answers `<ref>...</ref><box>[[x1, y1, x2, y2]]</box>`. */
export const internvl: Dialect = {
  name: 'internvl',
  models: FAMILIES.internvl,
  prompt: question => ({
    system: null,
    text: `Please provide the bounding box coordinate of the region this sentence describes: <ref>the part of the image that answers the question "${question}"</ref>`,
  }),
  read: reader('box'),
  order: 'xyxy',
  scale: 1000,
  frame: 'image',
  // three tiles of 448 pixels
  picture: { longestEdge: 1344, grid: null },
  growth: noGrowth,
  maxTokens: 256,
  grammar: `<box>\\[${listOf(THOUSANDTHS)}\\]</box>`,
}
