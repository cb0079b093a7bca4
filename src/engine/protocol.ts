/**
 * What the HTTP process and the engine process say to each other. Plain data only: it crosses a process
 * boundary by structured clone (`serialization: 'advanced'`), so bytes travel as `Uint8Array` and errors as `WireError`.
 */
import type { Box, Size } from '../contract/box.js'
import type { WireError } from '../errors.js'
import type { Picture, PictureOptions } from '../image/picture.js'
import type { ReadTimings, TextLine } from '../ocr/page.js'
import type { ModelInfo } from '../vlm/model-info.js'
import type { ProviderName } from '../vlm/onnx/providers.js'
import type { GenerationStage, Interval } from '../vlm/stages.js'
import type { WorkerOptions } from './options.js'

/** Find the regions of one image that help to answer questions, with the engine's cropper model. */
export interface LocateJob {
  kind: 'locate'
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  /** One or more. */
  questions: readonly string[]
  /** Longest edge the cropper sees, in pixels; null: the model's own. */
  resolution: number | null
  /** Whether a `RenderJob` for the same image is expected next: its pixels are kept for a moment. */
  keepPixels: boolean
  /** Whether the model writes the box, or the box is where the model looks (ViCrop). Default: `decoding`. */
  by?: 'decoding' | 'attention'
}

/** Make pictures of one image: decoded, upright, cut, drawn on, shrunk, encoded. */
export interface RenderJob {
  kind: 'render'
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  pictures: readonly PictureRequest[]
  /** Whether another `RenderJob` for the same image is expected next: its pixels are kept for a moment. Default: false. */
  keepPixels?: boolean
}

/** One picture to be made. */
export interface PictureRequest extends PictureOptions {
  /** The whole image, the region cut from the original pixels, or the whole image with the region's outline drawn. */
  show: 'whole' | 'region' | 'overlay'
  /** In whole per cent; ignored where `show` is `whole`. */
  region: Box
  /** What the region's numbers are parts of. Default: 100. */
  whole?: number
  /** `small` for a caller; `fast` for what stays on this machine: its PNG is stored, not compressed. */
  packing: 'small' | 'fast'
}

/** Read the text of one image. */
export interface ReadJob {
  kind: 'read'
  /** An image file (JPEG, PNG or WebP). */
  image: Uint8Array
  /** `caller`: as it was sent. `service`: a picture that this service made, which may have a more extreme aspect. */
  madeBy: 'caller' | 'service'
  /** Whether a `RenderJob` for the same image is expected next: its pixels are kept for a moment. */
  keepPixels: boolean
}

/** Ask a VLM that the engine runs itself to answer from pictures. */
export interface GenerateJob {
  kind: 'generate'
  /** Which of the engine's models: the name of a local target in the configuration (two may share an id). */
  model: string
  /** Encoded pictures in prompt order (full, crop). */
  images: Uint8Array[]
  /** The whole user text that follows the images. */
  text: string
  resolution: number | null
  maxTokens: number
  /** 0 is greedy. */
  temperature: number
}

export type Job = LocateJob | RenderJob | ReadJob | GenerateJob

/** The stages that `timings_ms` and `cropvlm_stage_duration_seconds` name. */
export type Stage = 'fetch' | 'queue' | GenerationStage | 'crop' | ReadingStage
/** The stages of the text reader alone: finding the lines, and reading them. */
type ReadingStage = Extract<keyof ReadTimings, 'detect' | 'recognize'>
/** Stages that not every request has. */
type RareStage = 'fetch' | ReadingStage
/** Milliseconds. Those of the text reader are there where it was asked, `fetch` where the image came from a link. */
export type Timings = Record<Exclude<Stage, RareStage>, number> & Partial<Record<RareStage, number>>

/** What the cropper model found for one question. */
export interface LocatedBox {
  /** As the model gave it; the whole image if it gave none that is valid. */
  box: Box
  decision: 'zoomed' | 'fallback'
  /** Why the box is not to be used: `no_box`, `out_of_range`, `empty_box`, `not_a_cropper`; null where it is. */
  reason: string | null
  /** exp of the mean log-probability of the tokens the model chose freely, 0..1; null where it chose none. */
  confidence: number | null
  /** The model's own text. */
  raw: string
  cost: GenerationCost
}

/** What one box took. */
export interface GenerationCost {
  generatedTokens: number
  /** Runs of the decoder, the prefill included. */
  runs: number
  /** Tokens of the answer that are not the likeliest under the model: the grammar forced or masked. */
  nonGreedyTokens: number
  /** Questions, of this and of other requests, that were answered by the same runs. */
  batch: number
  /** Whether what was computed of the image for another question was used again. */
  reused: boolean
}

/** What each result tells beside its timings. */
interface Timed {
  /** When the engine process was at work on which stage. What was remembered took none. */
  intervals?: readonly Interval<Stage>[]
}

export interface LocateResult extends Timed {
  kind: 'locate'
  /** One a question, in their order. */
  boxes: readonly LocatedBox[]
  /** Of the image after EXIF orientation. */
  image: Size
  model: { id: string; resolution: number; tiles: number }
  /** Of all questions together. */
  timings: Timings
}

export interface RenderResult extends Timed {
  kind: 'render'
  /** One a request, in their order. */
  pictures: readonly Picture[]
  /** Of the image after EXIF orientation. */
  image: Size
  timings: Pick<Timings, 'queue' | 'decode' | 'crop'>
}

export interface ReadResult extends Timed {
  kind: 'read'
  /** In reading order; empty where the image holds no text. */
  lines: readonly TextLine[]
  /** Of the image after EXIF orientation. */
  image: Size
  /** Whether the lines were remembered from an earlier job. */
  reused: boolean
  timings: Pick<Timings, 'queue'> & ReadTimings
}

export interface GenerateResult extends Timed {
  kind: 'generate'
  text: string
  /** `length`: the text was cut where no more tokens were allowed. */
  finishReason: 'stop' | 'length'
  usage: { promptTokens: number; completionTokens: number }
  timings: Timings
}

export type AnyResult = LocateResult | RenderResult | ReadResult | GenerateResult
export type JobResult<J extends Job> = Extract<AnyResult, { kind: J['kind'] }>

export interface EngineInfo {
  /** Each loaded folder once, the cropper first; empty where the engine only makes pictures. */
  models: ModelInfo[]
  /** Id of the text reader; absent where none is loaded. */
  reader?: string
  /** Where the models run; null where there are none. */
  executionProvider: ProviderName | null
  /** Why that provider: the operator's choice, or what `auto` found. */
  executionProviderReason: string
  /** Of the engine process. */
  pid: number
}

/** What JavaScript holds in an engine process, in bytes. */
export interface ScriptMemory {
  /** In V8's heap, garbage that has not been collected yet included. */
  heap: number
  /** Outside it, held by objects in it: buffers and tensors. */
  external: number
}

/** Parent to child. */
export type EngineRequest =
  /** The first message, sent once: load the models. */
  | { type: 'start'; options: WorkerOptions }
  /** Jobs to be done together, as one batch if possible. Each is answered on its own. */
  | { type: 'jobs'; jobs: readonly { id: number; job: Job }[] }
  /** Nobody waits for the job any more. */
  | { type: 'abort'; id: number }
  /** Are you alive? Answered by `pong` as soon as no run blocks the process. */
  | { type: 'ping' }
  | { type: 'stop' }

/** Child to parent. `ready` comes once the model has really answered once. */
export type EngineReply =
  /** `longestRunMs`: how long the warm-up blocked the process at most, in milliseconds; null if there was none. */
  | { type: 'ready'; info: EngineInfo; longestRunMs: number | null }
  | { type: 'pong'; memory: ScriptMemory }
  /** What is done next of the start: see `OnStep`. */
  | { type: 'step'; doing: string; file: string; isTrial: boolean }
  | { type: 'failed'; error: WireError }
  | { type: 'result'; id: number; result: AnyResult }
  | { type: 'error'; id: number; error: WireError }
