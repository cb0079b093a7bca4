import type { Engine } from '../engine/engine.js'
import type { ReadResult } from '../engine/protocol.js'
import { READER_ID } from '../ocr/page.js'
import { chooseLines } from '../text/rule.js'
import type { Cropper, FindRequest, Found } from './cropper.js'
import { findByImage } from './same-image.js'

/**
 * Reads the image's text and takes the lines that the question is about. It needs no training, and sees nothing but text; a
 * page is read at its own size, so that there is no resolution to ask for.
 */
export function textCropper(engine: Engine): Cropper {
  return {
    info: { name: 'text', resolutions: [], warnings: [] },
    find: requests =>
      findByImage(requests, async group => {
        const reading = await read(engine, group[0])
        return group.map(({ question }) => ({ status: 'fulfilled', value: choose(reading, question) }))
      }),
  }
}

/** An image's lines. Its timings are one object for all questions about it, so that they count once. */
type Reading = Pick<ReadResult, 'lines' | 'image'> & Pick<Found, 'timings'>

function read(engine: Engine, { image, signal, deadline, span, keepPixels }: FindRequest): Promise<Reading> {
  const job = { kind: 'read', image, madeBy: 'caller', keepPixels } as const
  return engine.run(job, { signal, deadline, span })
}

function choose({ lines, image, timings }: Reading, question: string): Found {
  const { box, reason, confidence, text } = chooseLines({ lines, size: image }, question)
  return {
    box,
    decision: reason === null ? 'zoomed' : 'fallback',
    reason,
    confidence,
    raw: text,
    image,
    model: { id: READER_ID, resolution: null, tiles: null },
    timings,
  }
}
