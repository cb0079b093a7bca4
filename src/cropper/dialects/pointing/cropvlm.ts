import { cropperPrompt } from '../../../contract/prompts.js'
import type { Dialect } from '../dialect.js'
import { listOf, PER_CENT } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

/** CropVLM itself, its adapter merged into SmolVLM and served by vLLM (contract, "The box as text"). */
export const cropvlm: Dialect = {
  name: 'cropvlm',
  models: /crop-?vlm/i,
  prompt: question => ({ system: null, text: cropperPrompt(question) }),
  read: reader(),
  order: 'xyxy',
  scale: 100,
  frame: 'image',
  // its image processor brings every image to its own longest edge, 2048 at most
  picture: { longestEdge: 2048, grid: null },
  growth: noGrowth,
  maxTokens: 32,
  grammar: ` ?${listOf(PER_CENT)}\\.`,
}
