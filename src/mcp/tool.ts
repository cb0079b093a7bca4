/** The tool `zoom_image` as hosts and models are told of it. */
import type { Tool } from '@modelcontextprotocol/sdk/types.js'
import { type Static, Type } from '@sinclair/typebox'
import { Choice } from '../config/schema.js'

export const ZOOM_IMAGE = 'zoom_image'

/** Told to the model once, by hosts that do. */
export const INSTRUCTIONS = `Use ${ZOOM_IMAGE} before you answer from small print or small details in a picture: it shows the part that matters at full resolution.`

const DESCRIPTION = `Shows one part of a picture at full resolution. Use it whenever text, numbers or details in a picture may be too small for you to read with certainty: receipts, forms, tables, screenshots, charts, plans, maps, photographs. A large picture that you see has usually been shrunk; this tool cuts from the original file.

Give \`image\`, and either \`question\` or \`bbox_2d\`:
- \`question\`: the tool looks for the part of the picture that helps to answer it. Use this when you do not know where to look. Ask one thing, in words that stand in the picture or name what is seen ("What is the total?"). The tool finds the place, it does not answer.
- \`bbox_2d\`: the part that you want to see, when you know where it is.

Coordinates are always thousandths (0 to 1000) of the width and height of the whole original picture, upright, with [0, 0] at the top left; never pixels, and never relative to an earlier crop. To look closer, call again with a smaller \`bbox_2d\` of the same \`image\`; if something is cut off, with a larger one, or with \`expand\`.

The result is the crop as a picture, and a text with its box, its size and the path of a file that holds the same crop. If you see no picture, open that file.`

/** JSON Schema without `anyOf` at the top and without tuples: several hosts and model APIs refuse those. */
export const INPUT = Type.Object(
  {
    image: Type.String({
      minLength: 1,
      description:
        'The picture (JPEG, PNG or WebP): the path of its file, absolute or relative; a file:// URL; a data URL; or an http(s) link where the server allows its host.',
    }),
    question: Type.Optional(
      Type.String({
        minLength: 1,
        description: 'What is to be found out from the picture. Leave it out where you give bbox_2d.',
      }),
    ),
    bbox_2d: Type.Optional(
      Type.Array(Type.Number({ minimum: 0, maximum: 1000 }), {
        minItems: 4,
        maxItems: 4,
        description:
          'The part to show, [x1, y1, x2, y2]: left, top, right, bottom in thousandths (0 to 1000) of the width and height of the whole upright picture.',
      }),
    ),
    label: Type.Optional(
      Type.String({ maxLength: 200, description: 'A name for what is in the box; it is repeated in the result.' }),
    ),
    expand: Type.Optional(
      Type.Number({
        minimum: 1,
        maximum: 10,
        default: 1,
        description: "Grows the box's area by this factor about its centre: 2 shows more of what is around it.",
      }),
    ),
  },
  { additionalProperties: false },
)

const integers = (description: string) => Type.Array(Type.Integer(), { minItems: 4, maxItems: 4, description })
const size = (description: string) =>
  Type.Object({ width: Type.Integer(), height: Type.Integer() }, { description, additionalProperties: false })
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description })

export const OUTPUT = Type.Object(
  {
    bbox_2d: Type.Array(Type.Number(), {
      minItems: 4,
      maxItems: 4,
      description: 'What is shown, [x1, y1, x2, y2] in thousandths of the whole upright picture.',
    }),
    bbox_pixels: integers('The same in pixels of the whole upright picture.'),
    image: size('The whole upright picture, in pixels.'),
    crop: size('The picture in this result, in pixels: shrunk or enlarged where that helps.'),
    media_type: Type.String({ description: 'Of the picture in this result: image/png or image/jpeg.' }),
    decision: Choice(['zoomed', 'given', 'fallback'], {
      description:
        'zoomed: the box was found for the question. given: it is bbox_2d. fallback: none was found, and the whole picture is shown.',
    }),
    reason: orNull(Type.String(), 'Why none was found, such as no_match; else null.'),
    confidence: orNull(Type.Number(), 'How sure the finder is of its box, 0 to 1; null where it does not say.'),
    found_by: orNull(Type.String(), 'What looked for the box; null where it was given.'),
    file: orNull(Type.String(), 'Path of a file with the picture of this result; null where none could be written.'),
    label: orNull(Type.String(), 'As it was given.'),
    advice: Type.String({ description: 'What was done, and what can be done next.' }),
  },
  { additionalProperties: false },
)

export type ToolInput = Static<typeof INPUT>
export type ToolOutput = Static<typeof OUTPUT>

export interface ToolOptions {
  /** Whether the tool declares what its structured result is made of. */
  structured: boolean
  /** Whether files are written where a person wants them, rather than into a temporary folder. */
  writes: boolean
  /** Whether it may fetch links. */
  links: boolean
}

/** The tool's entry in `tools/list`. */
export function zoomImageTool({ structured, writes, links }: ToolOptions): Tool {
  return {
    name: ZOOM_IMAGE,
    title: 'Zoom into a picture',
    description: DESCRIPTION,
    inputSchema: plain(INPUT),
    ...(structured ? { outputSchema: plain(OUTPUT) } : {}),
    annotations: {
      title: 'Zoom into a picture',
      readOnlyHint: !writes,
      destructiveHint: false,
      idempotentHint: true,
      openWorldHint: links,
    },
  }
}

/** The schema as JSON, without TypeBox's own marks. */
function plain(schema: typeof INPUT | typeof OUTPUT): Tool['inputSchema'] {
  return JSON.parse(JSON.stringify(schema)) as Tool['inputSchema']
}
