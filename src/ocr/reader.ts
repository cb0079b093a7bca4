import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Size } from '../contract/box.js'
import type { ImageSource, RawImage } from '../image/decode.js'
import { fitSize } from '../image/fit.js'
import { breathe } from '../vlm/decoding/abort.js'
import { noStep, type OnStep } from '../vlm/on-step.js'
import type { GraphCache } from '../vlm/onnx/optimised/cache.js'
import { openSessions, type Session } from '../vlm/onnx/session.js'
import { type Interval, interval } from '../vlm/stages.js'
import { detectLines } from './detect/detect.js'
import type { Rectangle } from './detect/rectangle.js'
import { type OcrFiles, ocrFiles } from './graphs.js'
import { inReadingOrder } from './order.js'
import type { LineBox, Page, ReadTimings } from './page.js'
import { type LineReader, openLineReader } from './recognize/line-reader.js'

/** An image to read. It is opened only if it has not been read lately. */
export interface ReadableImage {
  /** Identifies the image, by a hash of its file; null: the file is decoded to tell whether it is known. */
  key: string | null
  open(): Promise<ImageSource>
}

export interface ReadPage extends Page {
  /** Whether the lines were remembered from an earlier question. */
  reused: boolean
  timings: ReadTimings
  /** When it was at work; empty where the lines were remembered. */
  intervals: readonly Interval<keyof ReadTimings>[]
}

/** Longest edge in pixels of the picture that lines are cut from. Letters of a larger one are large enough without. */
const MAX_EDGE = 2560
/** A line that is read with less certainty is no text. As `rapidocr`'s. */
const MIN_SCORE = 0.5
/** Keys of images whose lines are remembered, two an image. A dense page takes 20 KB. */
const REMEMBERED = 512

/** PP-OCR: finds the lines of text of an image and reads them. */
export class TextReader {
  readonly #pages = new LRUCache<string, Page>({ max: REMEMBERED })

  constructor(
    private readonly detection: Session,
    private readonly lines: LineReader,
  ) {}

  /**
   * All text of an image.
   * @throws CropVlmError the image's codes; request_aborted, or what the signal was aborted with
   */
  async read({ key, open }: ReadableImage, signal: AbortSignal): Promise<ReadPage> {
    const known = key === null ? undefined : this.#pages.get(key)
    if (known)
      return { ...known, reused: true, timings: { decode: 0, preprocess: 0, detect: 0, recognize: 0 }, intervals: [] }
    await breathe(signal)
    const start = performance.now()
    const source = await open()
    const picture = await readablePixels(source)
    const decode = performance.now() - start
    const decoding = interval('decode', start, start + decode)
    const pixels = pixelKey(picture)
    const seen = this.#pages.get(pixels)
    if (seen) {
      if (key !== null) this.#pages.set(key, seen)
      const timings = { decode, preprocess: 0, detect: 0, recognize: 0 }
      return { ...seen, reused: true, timings, intervals: [decoding] }
    }
    const detecting = performance.now()
    const { regions, ...found } = await detectLines(this.detection, picture)
    const recognizing = performance.now()
    const readings = await this.lines.read(picture, regions, () => breathe(signal))
    const lines = regions.flatMap((region, i) => {
      const { text, score } = readings[i] as (typeof readings)[number]
      return text !== '' && score >= MIN_SCORE ? [{ box: lineBox(region, picture), text, score }] : []
    })
    const page = { lines: inReadingOrder(lines), size: { width: source.width, height: source.height } }
    this.#pages.set(pixels, page)
    if (key !== null) this.#pages.set(key, page)
    const timings = { decode, ...found, recognize: performance.now() - recognizing }
    const prepared = detecting + found.preprocess
    const intervals = [
      decoding,
      interval('preprocess', detecting, prepared),
      interval('detect', prepared, prepared + found.detect),
      interval('recognize', recognizing),
    ]
    return { ...page, reused: false, timings, intervals }
  }

  /** Runs both graphs once, so that memory is allocated and they are known to answer. */
  async warmUp(): Promise<void> {
    await detectLines(this.detection, { width: 64, height: 64, data: new Uint8Array(64 * 64 * 3).fill(128) })
    await this.lines.warmUp()
  }
}

/**
 * Loads the reader's graphs. They run on the CPU, whatever runs the models: no two lines have the same width, and a GPU
 * provider prepares itself anew for each shape.
 * @param threads Threads of all runs together.
 * @param cache Where optimised graphs are kept; null: nowhere.
 * @param onStep Told of what is done with each graph.
 * @throws CropVlmError invalid_model
 */
export async function openReader(
  threads: number,
  cache: GraphCache | null,
  onStep: OnStep = noStep,
  { detection, recognition, characters }: OcrFiles = ocrFiles(),
): Promise<TextReader> {
  const { sessions } = await openSessions([detection], 'cpu', threads, cache, onStep, [detection])
  return new TextReader(sessions[0] as Session, await openLineReader(recognition, characters, threads, cache, onStep))
}

function readablePixels(source: ImageSource): Promise<RawImage> {
  if (Math.max(source.width, source.height) <= MAX_EDGE) return source.pixels()
  return source.shrunk(fitSize(source, { longestEdge: MAX_EDGE }).size)
}

/** The same picture comes as another file too, where a target is sent what the caller sent. */
function pixelKey({ width, height, data }: RawImage): string {
  return `${width}x${height} ${createHash('sha1').update(data).digest('base64')}`
}

function lineBox({ corners }: Rectangle, { width, height }: Size): LineBox {
  const within = (value: number, edge: number) => Math.max(0, Math.min(100, (100 * value) / edge))
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)]
  return [
    within(Math.min(...xs), width),
    within(Math.min(...ys), height),
    within(Math.max(...xs), width),
    within(Math.max(...ys), height),
  ]
}
