import type { Dialect } from '../dialect.js'
import { listOf, PIXELS } from '../grammar.js'
import { byArea, noGrowth } from '../growth.js'
import { QWEN2_GRID } from '../pointing/qwen.js'
import { toolPrompt, zoomCall, zoomTool } from '../prompts.js'
import { reader } from '../read/read.js'

const NAME = 'image_zoom_in_tool'
const TOOL = zoomTool(
  NAME,
  'Zoom in on a specific region of an image by cropping it based on a bounding box (bbox) and an optional object label.',
  {
    minItems: 4,
    maxItems: 4,
    description:
      'The bounding box of the region to zoom in, as [x1, y1, x2, y2], where (x1, y1) is the top-left corner and (x2, y2) is the bottom-right corner.',
  },
  {
    label: {
      type: 'string',
      description: 'The name or label of the object in the specified bounding box (optional).',
    },
  },
  ['bbox_2d'],
)

/** DeepEyes, from Qwen2.5-VL: thinks, then calls a function with pixels of the picture that it was sent. */
export const deepeyes: Dialect = {
  name: 'deepeyes',
  models: /deepeyes(?!-?v2)/i,
  prompt: question => ({
    system: toolPrompt(
      TOOL,
      '# How to call a tool\nReturn a json object with function name and arguments within <tool_call></tool_call> XML tags:',
    ),
    text: `${question}\nThink first, call **${NAME}** if needed, then answer. Format strictly as:  <think>...</think>  <tool_call>...</tool_call> (if tools needed)  <answer>...</answer> `,
  }),
  read: reader('tool_call'),
  order: 'xyxy',
  scale: 'pixels',
  frame: 'image',
  // trained to search for small things in large pictures
  picture: { longestEdge: 2048, grid: QWEN2_GRID },
  growth: noGrowth,
  maxTokens: 1024,
  grammar: zoomCall(NAME, listOf(PIXELS)),
}

/** Chain-of-Focus: the same function; what it zooms into is half as wide and half as high again as its box. */
export const chainOfFocus: Dialect = {
  ...deepeyes,
  name: 'chain-of-focus',
  models: /chain-?_?of-?_?focus|\bcof\b/i,
  prompt: question => ({
    system: toolPrompt(TOOL),
    text: `Question: ${question}\nThink in the mind first, and then decide whether to call tools one or more times OR provide final answer. Format strictly as: <think>...</think> <tool_call>...</tool_call> <tool_call>...</tool_call> (if any tools needed) OR <answer>...</answer> (if no tools needed).`,
  }),
  growth: byArea(1.5 ** 2),
}
