/** Small pictures of an image and of a region of it, as data URLs. */
import { readBounded, UnfitFile } from '../../config/bounded-file.js'
import { areaShare, type Box, toPixels } from '../../contract/box.js'
import { CropVlmError } from '../../errors.js'
import type { Corners } from '../../evaluation/measures.js'
import { openImage } from '../../image/decode.js'
import { base64Of, type Picture } from '../../image/picture.js'
import { regionPicture, wholePicture } from '../../image/pictures.js'
import { MAX_IMAGE_BYTES } from '../collect.js'

export interface Pictures {
  image: Shown
  /** Null where there is no box, or it is the whole image. */
  crop: Shown | null
}

export interface Shown {
  url: string
  width: number
  height: number
}

/** Longest edges in pixels. Small crops are enlarged, or nothing could be read. */
const IMAGE = { longestEdge: 440, format: 'jpeg', quality: 70 } as const
const CROP = { longestEdge: 360, enlarge: 3, format: 'jpeg', quality: 75 } as const
const LIMITS = { maxPixels: 200e6, maxAspect: 500 }

/** @returns the pictures, or why there are none */
export async function makePictures(path: string, box: Corners | null): Promise<Pictures | string> {
  try {
    const source = await openImage(new Uint8Array(await readBounded(path, MAX_IMAGE_BYTES)), LIMITS)
    const pixels = await source.pixels()
    const crop = box && areaShare(box as Box) < 1 && (await regionPicture(pixels, toPixels(box as Box, pixels), CROP))
    return { image: shown(await wholePicture(pixels, IMAGE)), crop: crop ? shown(crop) : null }
  } catch (error) {
    const isExpected = error instanceof CropVlmError || (error as NodeJS.ErrnoException).code !== undefined
    if (error instanceof UnfitFile) return `The file ${error.message}.`
    if (!isExpected) throw error
    return (error as Error).message
  }
}

function shown(picture: Picture): Shown {
  const { mediaType, width, height } = picture
  return { url: `data:${mediaType};base64,${base64Of(picture)}`, width, height }
}
