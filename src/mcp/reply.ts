/** A view as the result of the tool. */
import type { CallToolResult } from '@modelcontextprotocol/sdk/types.js'
import { base64Of } from '../image/picture.js'
import type { ZoomRequest } from './arguments.js'
import type { ToolOutput } from './tool.js'
import type { View } from './zoom.js'

/**
 * The picture, and a text that holds all but the picture: many hosts show a model no picture of a tool.
 * @param structured Whether the host also gets the result as JSON.
 */
export function zoomResult(request: ZoomRequest, view: View, structured: boolean): CallToolResult {
  const { picture } = view
  const advice = text(request, view)
  return {
    content: [
      { type: 'text', text: advice },
      { type: 'image', data: base64Of(picture), mimeType: picture.mediaType },
    ],
    ...(structured ? { structuredContent: { ...output(request, view, advice) } } : {}),
  }
}

export function failureResult(message: string): CallToolResult {
  return { content: [{ type: 'text', text: message }], isError: true }
}

function output(
  { label }: ZoomRequest,
  { box, pixelBox, image, picture, decision, reason, confidence, foundBy, file }: View,
  advice: string,
): ToolOutput {
  return {
    bbox_2d: [...box],
    bbox_pixels: [...pixelBox],
    image: { width: image.width, height: image.height },
    crop: { width: picture.width, height: picture.height },
    media_type: picture.mediaType,
    decision,
    reason,
    confidence,
    found_by: foundBy,
    file: typeof file === 'string' ? file : null,
    label,
    advice,
  }
}

/** Below it the model is told to look twice. */
const LOW = 0.5

function text(request: ZoomRequest, view: View): string {
  const { image, picture, file, warnings } = view
  const where =
    typeof file === 'string'
      ? `It is also in the file ${file} (if you see no picture here, open that).`
      : `It could not be written to a file: ${file.problem}`
  return [
    ...what(request, view),
    `The whole picture is ${image.width}x${image.height} pixels; the picture in this result is ${picture.width}x${picture.height}. ${where}`,
    ...warnings.map(warning => `Note: ${warning}`),
  ].join('\n')
}

function what({ question, label }: ZoomRequest, view: View): string[] {
  const { box, pixelBox, decision, reason, confidence, foundBy } = view
  const place = `bbox_2d [${box.join(', ')}] (thousandths of the whole picture), pixels [${pixelBox.join(', ')}]`
  const name = label === null ? '' : ` ("${label}")`
  switch (decision) {
    case 'given':
      return [`Decision: given. This is the box that you gave${name}: ${place}.`]
    case 'zoomed': {
      const sure = confidence === null ? 'not known' : confidence.toFixed(2)
      return [
        `Decision: zoomed. This part was found for "${question}"${name}: ${place}. Confidence: ${sure} (found by ${foundBy}).`,
        confidence !== null && confidence < LOW
          ? 'That is a low confidence: see whether the crop shows what you need. If not, call again with a bbox_2d of your own.'
          : 'If it does not show what you need, call again with a bbox_2d of your own, or with expand.',
      ]
    }
    case 'fallback':
      return [
        `Decision: fallback. No part was found for "${question}"${name} (reason: ${REASONS[reason ?? ''] ?? reason}; ${foundBy}). This is the whole picture: ${place}.`,
        'Look at it and call again with the bbox_2d of the part that you need, or ask in words that stand in the picture.',
      ]
  }
}

const REASONS: Readonly<Record<string, string>> = {
  no_text: 'no_text, there is no text in the picture, and this finder sees nothing but text',
  no_match: 'no_match, no text in the picture fits the question',
}
