import type { Dialect } from '../dialect.js'
import { listOf, PARTS } from '../grammar.js'
import { noGrowth } from '../growth.js'
import { reader } from '../read/read.js'

const SYSTEM = `You are a helpful assistant. Answer the user's question based on the image provided. Output your thinking process within the <think> and </think> tags. Whenever you find anything unclear, you can zoom in a specific region in the given image to see more clearly by outputing <grounding>{"bbox_2d": [x0, y0, x1, y1], "source": "original_image"}</grounding>, where (x0, y0) and (x1, y1) are the top-left and bottom-right coordinates of the region that you want to zoom in, respectively (suppose the width and height of the image are 1.0), and 'source' refers to the image that you zoom in and could be either "original_image" or "observation_i". Once the final answer is confirmed, put it within <answer> and </answer>.`

/** Mini-o3, from Qwen2.5-VL: reasons, then asks for a zoom; the first one is the region. */
export const miniO3: Dialect = {
  name: 'mini-o3',
  models: /mini-?o3/i,
  prompt: question => ({ system: SYSTEM, text: question }),
  read: reader('grounding', 'tool_call'),
  order: 'xyxy',
  scale: 1,
  frame: 'image',
  // trained to search for small things in large pictures
  picture: { longestEdge: 2048, grid: null },
  growth: noGrowth,
  maxTokens: 1024,
  grammar: `<grounding>\\{"bbox_2d": ${listOf(PARTS)}, "source": "original_image"\\}</grounding>`,
}
