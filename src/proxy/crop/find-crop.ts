/** Finds the crop of one image for one question. */
import type { Config } from '../../config/service.js'
import type { Patience } from '../../engine/engine.js'
import { CropVlmError, type ErrorCode } from '../../errors.js'
import { checkImage, sniffImage } from '../../image/limits.js'
import type { Target } from '../../target/target.js'
import { findRegions } from '../../zoom/find.js'
import { cropPicture, shownTo, viewOf } from '../../zoom/target-pictures.js'
import type { Region, Zoom } from '../../zoom/zoom.js'
import type { ImageSource } from '../chat/image-part.js'
import type { Span } from '../json/scan.js'
import type { ZoomOptions } from '../options.js'
import { type ImageReader, imageBytes } from './image-bytes.js'
import { type CropMemory, memoryKey } from './memory.js'
import type { CropOutcome, NoCrop } from './outcome.js'

export interface CropFinder {
  zoom: Zoom
  config: Pick<Config, 'zoomMinConfidence' | 'zoomMaxArea' | 'maxPixels' | 'maxAspect' | 'maxQuestionChars'>
  images: ImageReader
  memory: CropMemory
  /** Told of each question about an image, and whether its outcome was remembered. */
  onLookup(found: boolean): void
}

export interface CropRequest extends Patience {
  /** The body, and where the image is in it. */
  json: Buffer
  source: ImageSource
  question: string
  options: ZoomOptions
  target: Target
}

/** Failures that are the image's or the question's own: they come again, so they are remembered. */
const LASTING: readonly ErrorCode[] = [
  'invalid_base64',
  'unsupported_image_format',
  'image_too_large',
  'image_aspect_too_extreme',
  'image_undecodable',
  'question_too_long',
  'unsupported_resolution',
]

/** Of an image behind a link that is not fetched. It is not remembered: it costs nothing. */
const LINK: NoCrop = { decision: 'skipped', reason: 'image_url' }

/** What is being found for one request, by key. */
export type Flights = Map<string, Promise<CropOutcome>>

/**
 * What is remembered of the image and the question, or else found now, once in one request. It throws nothing: a failure is
 * an outcome.
 */
export async function findCrop(finder: CropFinder, request: CropRequest, flights: Flights): Promise<CropOutcome> {
  const { json, source } = request
  if (source.kind === 'elsewhere') return { decision: 'skipped', reason: 'image_file' }
  const written = source.kind === 'data' ? slice(json, source.text) : Buffer.from(source.url)
  const key = memoryKey(written, dependencies(request))
  const known = finder.memory.get(key) ?? flights.get(key)
  finder.onLookup(known !== undefined)
  if (known) return await known
  const flight = look(finder, request).catch(failure)
  flights.set(key, flight)
  const outcome = await flight
  if (isLasting(outcome)) finder.memory.set(key, outcome)
  return outcome
}

/** Everything but the image that the crop depends on. */
function dependencies({ question, options, target }: CropRequest): unknown[] {
  const { zoom, resolution, expand } = options
  return [question, zoom, resolution, expand, target.name, cropOptions(target, 'jpeg'), targetView(target)]
}

function isLasting(outcome: CropOutcome): boolean {
  if (outcome === LINK) return false
  return outcome.decision === 'zoomed' || !outcome.error || LASTING.includes(outcome.error.code)
}

async function look({ zoom, config, images }: CropFinder, request: CropRequest): Promise<CropOutcome> {
  const { json, source, question, options, target, signal, deadline, span } = request
  if (question.length > config.maxQuestionChars)
    throw new CropVlmError(
      'question_too_long',
      `The text of this turn is longer than ${config.maxQuestionChars} characters; raise MAX_QUESTION_CHARS.`,
    )
  const image = await imageBytes(images, json, source, request)
  if (image === null) return LINK
  checkImage(image, config)
  const { regions } = await findRegions(zoom, {
    image,
    questions: [question],
    resolution: options.resolution,
    expand: options.expand,
    gate: {
      mode: options.zoom === 'always' ? 'always' : 'auto',
      minConfidence: config.zoomMinConfidence,
      maxArea: config.zoomMaxArea,
    },
    view: targetView(target),
    pictures: {
      crop: null,
      overlay: null,
      targetFull: null,
      targetCrop: cropOptions(target, sniffImage(image) === 'png' ? 'png' : 'jpeg'),
    },
    cropsFallback: false,
    signal,
    deadline,
    span,
  })
  return outcomeOf(regions[0] as Region)
}

/** What the upstream sees of the image without a crop. */
function targetView(target: Target) {
  return viewOf(shownTo(target))
}

/** The crop as the upstream gets it: JPEG, or PNG where the source is PNG or no network lies between. */
function cropOptions(target: Target, format: 'jpeg' | 'png') {
  const picture = cropPicture(target, shownTo(target).crop)
  return { ...picture, format: target.local ? 'png' : format, packing: 'small' } as const
}

function outcomeOf({ decision, reason, box, pixelBox, pictures }: Region): CropOutcome {
  if (decision === 'fallback' || decision === 'skipped') return { decision, reason: reason ?? 'none' }
  if (!pictures.targetCrop) throw new Error('a crop was asked for and not made')
  return { decision: 'zoomed', box, pixelBox, picture: pictures.targetCrop }
}

function failure(thrown: unknown): NoCrop {
  const error = CropVlmError.from(thrown)
  if (error.code === 'url_not_allowed' || error.code === 'invalid_url') return LINK
  const reason = error.code === 'deadline_exceeded' ? 'too_slow' : error.code
  return { decision: 'failed', reason, error }
}

function slice(json: Buffer, { start, end }: Span): Buffer {
  return json.subarray(start, end)
}
