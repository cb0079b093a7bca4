/** One call of `zoom_image`: a box, found or given, and the picture of what is in it. */
import type { CropReply, CropVlmClient } from '../client/client.js'
import { type Box, FULL_BOX, grow, type PixelBox, type Size, toPixels } from '../contract/box.js'
import type { Patience } from '../engine/engine.js'
import type { Picture } from '../image/picture.js'
import type { ZoomRequest } from './arguments.js'
import type { CropFiles } from './crop/crop-files.js'
import type { Pictures } from './crop/pictures.js'
import type { Lazy } from './lazy.js'
import type { Progress } from './progress.js'
import { openSource, type Source, type SourceOptions } from './source/source.js'

/** A service that finds boxes: one that runs elsewhere, or one in this process. */
export interface Service {
  client: CropVlmClient
  close(): Promise<void>
}

export interface ZoomTools {
  service: Lazy<Service>
  pictures: Pictures
  files: CropFiles
  sources: SourceOptions
}

/** What is shown. */
export interface View {
  /** In thousandths of the upright image. */
  box: Box
  pixelBox: PixelBox
  /** Of the image after EXIF orientation. */
  image: Size
  decision: 'zoomed' | 'given' | 'fallback'
  reason: string | null
  confidence: number | null
  /** Id of the cropper; null where the box was given. */
  foundBy: string | null
  warnings: readonly string[]
  picture: Picture
  /** Path of the picture as a file, or why there is none. */
  file: string | { problem: string }
}

type Found = Omit<View, 'file'>

/** Thousandths, as the numbers of a box. */
const WHOLE = 1000

/**
 * Finds the box, unless it is given, cuts it out and writes it to a file. A box that is given needs no model: the service
 * is started for a question, and for a link, which it fetches.
 * @throws ToolError, ClientError, CropVlmError; the signal's reason
 */
export async function zoomInto(
  request: ZoomRequest,
  tools: ZoomTools,
  patience: Patience,
  progress: Progress,
): Promise<View> {
  progress.stage('Reading the picture')
  const source = await openSource(request.image, tools.sources, patience.signal)
  const found = request.box
    ? await cut(source, request.box, request.expand, tools, patience, progress)
    : await find(source, request.question ?? '', request.expand, tools, patience, progress)
  return { ...found, file: await write(tools.files, found.picture) }
}

/** Shows a box that was given. */
async function cut(
  source: Source,
  given: Box,
  expand: number,
  tools: ZoomTools,
  patience: Patience,
  progress: Progress,
): Promise<Found> {
  const box = expanded(given, expand)
  const file = source.kind === 'bytes' ? source.bytes : await fetched(source.link, tools, patience, progress)
  progress.stage('Cutting the box out')
  const { picture, image } = await tools.pictures.make(file, { box, whole: WHOLE }, patience)
  const pixelBox = toPixels(box, image, WHOLE)
  const none = { reason: null, confidence: null, foundBy: null, warnings: [] }
  return { box, pixelBox, image, decision: 'given', ...none, picture }
}

/** Asks the service for the box that helps to answer a question. */
async function find(
  source: Source,
  question: string,
  expand: number,
  tools: ZoomTools,
  patience: Patience,
  progress: Progress,
): Promise<Found> {
  const { signal } = patience
  const client = await connected(tools, patience, progress)
  progress.stage('Looking for the region')
  // of a link this process has no bytes: the service cuts
  const reply =
    source.kind === 'bytes'
      ? await client.crop({ image: source.bytes, question, expand }, { signal })
      : await client.crop({ image: source.link, question, expand, ...FETCHED }, { signal })
  const { bbox, bbox_pixels, image, reason, confidence, model, warnings } = reply
  const decision = reply.decision === 'zoomed' ? 'zoomed' : 'fallback'
  progress.stage('Cutting it out')
  const region = decision === 'zoomed' ? { box: bbox as unknown as Box, whole: 100 } : null
  const { picture } =
    source.kind === 'bytes'
      ? await tools.pictures.make(source.bytes, region, patience)
      : await tools.pictures.make(cropOf(reply), region && { box: FULL_BOX, whole: 100 }, patience)
  return {
    box: bbox.map(percent => percent * 10) as unknown as Box,
    pixelBox: bbox_pixels as unknown as PixelBox,
    image,
    decision,
    reason,
    confidence,
    foundBy: model.id,
    warnings,
    picture,
  }
}

/** How the service sends what it has fetched: nearly without loss, since it is cut or resized once more here. */
const FETCHED = { return: 'crop', format: 'jpeg', quality: 95 } as const

/** The whole picture behind a link, from the service. */
async function fetched(link: string, tools: ZoomTools, patience: Patience, progress: Progress): Promise<Uint8Array> {
  const client = await connected(tools, patience, progress)
  progress.stage('Fetching the picture')
  const { signal } = patience
  return cropOf(await client.crop({ image: link, question: 'Where?', zoom: 'never', ...FETCHED }, { signal }))
}

function cropOf({ crop }: CropReply): Uint8Array {
  if (!crop) throw new Error('the service sent no crop')
  return Buffer.from(crop.data, 'base64')
}

async function connected({ service }: ZoomTools, { signal }: Patience, progress: Progress): Promise<CropVlmClient> {
  if (!service.isReady) progress.stage('Starting the service and loading its models, which the first call waits for')
  return (await service.get(signal)).client
}

/** Thousandths of a box after its growth, rounded outwards. */
function expanded(box: Box, factor: number): Box {
  if (factor === 1) return box
  const [x1, y1, x2, y2] = grow(box.map(n => n / 10) as unknown as Box, factor)
  return [Math.floor(x1 * 10), Math.floor(y1 * 10), Math.ceil(x2 * 10), Math.ceil(y2 * 10)]
}

/** A disk that is full takes the file, and not the picture. */
async function write(files: CropFiles, picture: Picture): Promise<View['file']> {
  try {
    return await files.write(picture)
  } catch (error) {
    return { problem: (error as Error).message }
  }
}
