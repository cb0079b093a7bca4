import type { Dialect } from '../dialect.js'
import { listOf, PARTS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { toolPrompt, zoomCall, zoomTool } from '../prompts.js'
import { reader } from '../read/read.js'

const NAME = 'crop_image_normalized'
const TOOL = zoomTool(
  NAME,
  'Zoom in on the image based on the bounding box coordinates. It is useful when the object or text in the image is too small to be seen.',
  {
    description: 'coordinates for bounding box of the area you want to zoom in. Values should be within [0.0,1.0].',
  },
  {
    target_image: {
      type: 'number',
      description:
        'The index of the image to crop. Index from 1 to the number of images. Choose 1 to operate on original image.',
    },
  },
  ['bbox_2d', 'target_image'],
)

/** Pixel-Reasoner, from Qwen2.5-VL: reasons, then calls a function with parts of the image. */
export const pixelReasoner: Dialect = {
  name: 'pixel-reasoner',
  models: /pixel-?_?reasoner/i,
  prompt: question => ({
    system: toolPrompt(TOOL),
    text: `${question}\n\nGuidelines: Understand the given visual information and the user query. Determine if it is beneficial to employ the given visual operations (tools). For an image, we can look closer by \`crop_image\`. Reason with the visual information step by step, and put your final answer within \\boxed{}.`,
  }),
  read: reader('tool_call'),
  order: 'xyxy',
  scale: 1,
  frame: 'image',
  picture: { longestEdge: 1024, grid: null },
  growth: noGrowth,
  maxTokens: 1024,
  grammar: zoomCall(NAME, listOf(PARTS), ', "target_image": 1'),
}
