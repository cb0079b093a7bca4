import t from 'tap'
import type { ZoomRequest } from '../../src/mcp/arguments.js'
import { failureResult, zoomResult } from '../../src/mcp/reply.js'
import type { View } from '../../src/mcp/zoom.js'

const request: ZoomRequest = { image: 'a.png', question: 'What is it?', box: null, label: null, expand: 1 }
const view: View = {
  box: [100, 200, 300, 400],
  pixelBox: [10, 20, 30, 40],
  image: { width: 100, height: 100 },
  decision: 'zoomed',
  reason: null,
  confidence: 0.875,
  foundBy: 'pp-ocr',
  warnings: [],
  picture: { mediaType: 'image/png', width: 80, height: 80, bytes: Buffer.from('png') },
  file: '/tmp/a.png',
}

const textOf = (changes: Partial<View>, asked: Partial<ZoomRequest> = {}) => {
  const [text] = zoomResult({ ...request, ...asked }, { ...view, ...changes }, true).content
  return (text as { text: string }).text
}

t.test('a picture, a text, and the same as JSON for hosts that take it', async t => {
  const advice = textOf({})
  t.same(zoomResult(request, view, true), {
    content: [
      { type: 'text', text: advice },
      { type: 'image', data: 'cG5n', mimeType: 'image/png' },
    ],
    structuredContent: {
      bbox_2d: [100, 200, 300, 400],
      bbox_pixels: [10, 20, 30, 40],
      image: { width: 100, height: 100 },
      crop: { width: 80, height: 80 },
      media_type: 'image/png',
      decision: 'zoomed',
      reason: null,
      confidence: 0.875,
      found_by: 'pp-ocr',
      file: '/tmp/a.png',
      label: null,
      advice,
    },
  })
  t.notOk('structuredContent' in zoomResult(request, view, false))
  t.same(failureResult('Do this.'), { content: [{ type: 'text', text: 'Do this.' }], isError: true })
})

t.test('what the text says', async t => {
  t.match(
    textOf({}),
    /^Decision: zoomed\. .*"What is it\?": bbox_2d \[100, 200, 300, 400\].*Confidence: 0\.88 \(found by pp-ocr/,
  )
  t.match(textOf({}), /100x100 pixels; .* 80x80\. .*the file \/tmp\/a\.png/)
  t.notMatch(textOf({}), /low confidence/)
  t.match(textOf({ confidence: 0.3 }), /Confidence: 0\.30.*\nThat is a low confidence/)
  t.match(textOf({ confidence: null }), /Confidence: not known/)
  t.match(textOf({ warnings: ['It knows synthetic pages only.'] }), /\nNote: It knows synthetic pages only\.$/)
  t.match(textOf({ file: { problem: 'no space left' } }), /could not be written to a file: no space left/)
  t.match(
    textOf({ decision: 'given' }, { label: 'the sum' }),
    /^Decision: given\. .*that you gave \("the sum"\): bbox_2d/,
  )
  const none = textOf({ decision: 'fallback', reason: 'no_match', box: [0, 0, 1000, 1000] })
  t.match(
    none,
    /^Decision: fallback\. No part was found .*no text in the picture fits.*whole picture.*\n.*call again with the bbox_2d/,
  )
  t.match(textOf({ decision: 'fallback', reason: 'empty_box' }), /reason: empty_box/)
})
