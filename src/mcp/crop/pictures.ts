/** The pictures that the tool answers with: cut, shrunk or enlarged, and encoded, by an engine process without models. */
import type { Logger } from 'pino'
import { type Box, FULL_BOX, type Size } from '../../contract/box.js'
import type { Patience } from '../../engine/engine.js'
import type { EngineOptions } from '../../engine/options.js'
import { startEngine } from '../../engine/parent/client.js'
import type { PictureRequest } from '../../engine/protocol.js'
import { sniffImage } from '../../image/limits.js'
import type { Picture } from '../../image/picture.js'
import { Lazy } from '../lazy.js'

/** A part of an image: a box, and what its numbers are parts of (100 or 1000). */
export interface Region {
  box: Box
  whole: number
}

/**
 * Most bytes of a picture. Claude Desktop refuses a result of more than 1,048,576 characters, of which base64 makes four
 * of every three bytes (anthropics/claude-code#66519, PrefectHQ/fastmcp#1036).
 */
export const MAX_BYTES = 700_000

/** What VLMs at most make use of; a larger picture is shrunk by most hosts anyway. */
const LONGEST_EDGE = 1568
/** How many times a small crop is enlarged at most. */
const ENLARGE = 4
/** What image processors refuse: a side of less than 28 pixels (Qwen-VL), or a picture as thin as a thread. */
const LIMITS = { minSide: 32, maxAspect: 100 }

/** How a picture is encoded, from the best to the smallest: the next is tried where one has too many bytes. */
const ATTEMPTS = [
  { format: 'png', quality: 90, longestEdge: LONGEST_EDGE },
  { format: 'jpeg', quality: 90, longestEdge: LONGEST_EDGE },
  { format: 'jpeg', quality: 80, longestEdge: LONGEST_EDGE },
  { format: 'jpeg', quality: 80, longestEdge: 1024 },
  { format: 'jpeg', quality: 70, longestEdge: 768 },
] as const

export class Pictures {
  readonly #engine

  constructor(options: EngineOptions, log: Logger) {
    this.#engine = new Lazy(
      async () => {
        const engine = startEngine(options, log)
        await engine.ready.catch(async error => {
          await engine.close()
          throw error
        })
        return engine
      },
      engine => engine.close(),
    )
  }

  /**
   * A picture of a region, or of the whole image where that is null: a PNG where the image is one, if that is small
   * enough, else a JPEG.
   * @param image The file (JPEG, PNG or WebP).
   * @returns the picture, and the size of the image after EXIF orientation
   * @throws CropVlmError image_undecodable, and others of the engine
   */
  async make(image: Uint8Array, region: Region | null, patience: Patience): Promise<{ picture: Picture; image: Size }> {
    const engine = await this.#engine.get(patience.signal)
    const isPng = sniffImage(Buffer.from(image.buffer, image.byteOffset, image.byteLength)) === 'png'
    const attempts = isPng ? ATTEMPTS : ATTEMPTS.slice(1)
    for (const [i, attempt] of attempts.entries()) {
      const isLast = i === attempts.length - 1
      const pictures = [request(region, attempt)]
      const result = await engine.run({ kind: 'render', image, keepPixels: !isLast, pictures }, patience)
      const [picture] = result.pictures as [Picture]
      if (isLast || picture.bytes.length <= MAX_BYTES) return { picture, image: result.image }
    }
    throw new Error('no attempt')
  }

  /** Ends the process. */
  close(): Promise<void> {
    return this.#engine.close()
  }
}

function request(region: Region | null, attempt: (typeof ATTEMPTS)[number]): PictureRequest {
  const how = { ...attempt, enlarge: ENLARGE, limits: LIMITS, packing: 'small' } as const
  return region === null
    ? { show: 'whole', region: FULL_BOX, ...how, enlarge: 1 }
    : { show: 'region', region: region.box, whole: region.whole, ...how }
}
