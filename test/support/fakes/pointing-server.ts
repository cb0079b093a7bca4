/**
 * A chat-completions endpoint whose model can point. It looks at the picture that it is sent, finds what is blue in it,
 * and writes that region as a model of the wanted dialect would.
 */
import sharp from 'sharp'
import type { Test } from 'tap'
import { completion, json, type Received, type Reply, upstream } from './upstream.js'

/** Parts of the picture, 0..1. */
export type Parts = readonly [x1: number, y1: number, x2: number, y2: number]

/** How many tokens the endpoint reports. */
export const USAGE = { prompt_tokens: 1100, completion_tokens: 21 }

interface Message {
  content: string | null
  tool_calls?: unknown[]
}

type Writer = (box: Parts, size: { width: number; height: number }) => Message

const scaled = (box: Parts, by: number, digits = 0) => box.map(part => (part * by).toFixed(digits))
const pixels = ([x1, y1, x2, y2]: Parts, { width, height }: { width: number; height: number }) =>
  [x1 * width, y1 * height, x2 * width, y2 * height].map(Math.round)
const zoom = (name: string, list: unknown[], more = '') =>
  `<think>It is small; I zoom in.</think>\n<tool_call>\n{"name": "${name}", "arguments": {"bbox_2d": [${list.join(', ')}]${more}}}\n</tool_call>`

/** What models of each dialect write, as their authors' files show it. */
export const WRITERS: Readonly<Record<string, Writer>> = {
  cropvlm: box => ({ content: ` [${scaled(box, 100).join(', ')}].` }),
  'qwen2.5-vl': (box, size) => ({
    content: `\`\`\`json\n[\n\t{"bbox_2d": [${pixels(box, smartResize(size)).join(', ')}], "label": "blue part"}\n]\n\`\`\``,
  }),
  'qwen2-vl': box => {
    const [x1, y1, x2, y2] = scaled(box, 1000)
    return {
      content: `<|object_ref_start|>the part<|object_ref_end|><|box_start|>(${x1},${y1}),(${x2},${y2})<|box_end|>`,
    }
  },
  'qwen3-vl': box => ({ content: `{"bbox_2d": [${scaled(box, 1000).join(', ')}], "label": "blue part"}` }),
  'glm-v': box => ({
    content: `<think>At [[0, 0, 1000, 1000]]?</think>It is at <|begin_of_box|>[[${scaled(box, 1000)}]]<|end_of_box|>.`,
  }),
  internvl: box => ({ content: `<ref>the part</ref><box>[[${scaled(box, 1000).join(', ')}]]</box>` }),
  gemini: ([x1, y1, x2, y2]) => ({
    content: `\`\`\`json\n[{"box_2d": [${scaled([y1, x1, y2, x2], 1000).join(', ')}], "label": "blue"}]\n\`\`\``,
  }),
  'visual-cot': box => ({ content: `[${scaled(box, 1, 3).join(', ')}]` }),
  'uv-cot': box => ({ content: `[${scaled(box, 1, 2).join(', ')}]` }),
  visrl: box => ({ content: `[${scaled(box, 1, 3).join(', ')}]` }),
  'mini-o3': box => ({
    content: `<think>Too small to see.</think><grounding>{"bbox_2d": [${scaled(box, 1, 2).join(', ')}], "source": "original_image"}</grounding>`,
  }),
  'pixel-reasoner': box => ({
    content: zoom('crop_image_normalized', scaled(box, 1, 3), ', "target_image": 1'),
  }),
  deepeyes: (box, size) => ({ content: zoom('image_zoom_in_tool', pixels(box, size), ', "label": "blue"') }),
  // the same, parsed by the server
  'chain-of-focus': (box, size) => ({
    content: null,
    tool_calls: [
      {
        id: '1',
        type: 'function',
        function: {
          name: 'image_zoom_in_tool',
          arguments: JSON.stringify({ bbox_2d: pixels(box, size), label: 'blue' }),
        },
      },
    ],
  }),
  generic: box => ({ content: `Sure! Here it is:\n\n{"bbox": [${scaled(box, 1000).join(', ')}]}\n\nAnything else?` }),
}

/** The size to which Qwen2.5-VL's image processor brings a picture (qwen-vl-utils). */
export function smartResize({ width, height }: { width: number; height: number }) {
  const [factor, most, least] = [28, 16_384 * 28 * 28, 4 * 28 * 28]
  let [w, h] = [width, height].map(side => Math.max(factor, Math.round(side / factor) * factor)) as [number, number]
  if (w * h > most || w * h < least) {
    const beta = Math.sqrt((w * h > most ? most : least) / (width * height))
    const round = w * h > most ? Math.floor : Math.ceil
    ;[w, h] = [width, height].map(side => Math.max(factor, round((side * beta) / factor) * factor)) as [number, number]
  }
  return { width: w, height: h }
}

/** @param seen Told the size of each picture. */
export async function pointingServer(
  t: Test,
  dialect: string,
  seen: (size: { width: number; height: number }, received: Received) => void = () => {},
) {
  const write = WRITERS[dialect]
  if (!write) throw new Error(`no writer for ${dialect}`)
  const answer = async (...[response, received, socket]: Parameters<Reply>) => {
    const picture = await pictureOf(received)
    seen(picture.size, received)
    const message = write(picture.blue, picture.size)
    const reply = message.tool_calls
      ? json(200, { choices: [{ index: 0, message }], usage: USAGE })
      : completion(message.content, USAGE)
    reply(response, received, socket)
  }
  return await upstream(t, (...call) => void answer(...call))
}

async function pictureOf({ body }: Received) {
  const parts = body.messages?.at(-1)?.content ?? []
  const url = parts[0]?.image_url?.url ?? ''
  const [, base64 = ''] = /^data:image\/jpeg;base64,(.+)$/.exec(url) ?? []
  const { data, info } = await sharp(Buffer.from(base64, 'base64')).raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  let [left, top, right, bottom] = [width, height, 0, 0]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * channels
      if ((data[at] ?? 0) > 100 || (data[at + 2] ?? 0) < 160) continue
      left = Math.min(left, x)
      top = Math.min(top, y)
      right = Math.max(right, x + 1)
      bottom = Math.max(bottom, y + 1)
    }
  const blue: Parts = [left / width, top / height, right / width, bottom / height]
  return { size: { width, height }, blue }
}
