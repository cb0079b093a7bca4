/**
 * What the HTTP process and the engine process say to each other. Plain data only: it crosses a process
 * boundary by structured clone (`serialization: 'advanced'`), so bytes travel as `Uint8Array` and errors as `WireError`.
 */
import type { Box, PixelBox, Size } from '../contract/box.js'
import type { WireError } from '../errors.js'
import type { ModelInfo } from '../vlm/model-info.js'
import type { ProviderName } from '../vlm/onnx/providers.js'
import type { GenerationStage } from '../vlm/request.js'
import type { WorkerOptions } from './options.js'

export type PictureFormat = 'jpeg' | 'png' | 'webp'

/** An encoded picture. */
export interface Picture extends Size {
  /** `image/jpeg`, `image/png` or `image/webp`. */
  mediaType: string
  bytes: Uint8Array
}

/** How a picture that leaves the engine is encoded. */
export interface PictureOptions {
  format: PictureFormat
  /** 1..100; for PNG it is ignored. */
  quality: number
  /** Longest edge in pixels it is shrunk to; null keeps the size. Never enlarges. */
  longestEdge: number | null
}

/** Ask for the regions of one image that help to answer questions. */
export interface CropJob {
  kind: 'crop'
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  /** One or more. */
  questions: readonly string[]
  /** Longest edge the cropper sees, in pixels; null: the model's own. */
  resolution: number | null
  /** Growth of the box's area about its centre, 1..10. */
  expand: number
  /** Pictures wanted beside each box. */
  pictures: {
    /** The region, cut from the original pixels. */
    crop: PictureOptions | null
    /** The image with the box drawn. */
    overlay: PictureOptions | null
    /** For a target VLM: the whole image, upright. */
    targetFull: PictureOptions | null
    /** For a target VLM: the region. */
    targetCrop: PictureOptions | null
  }
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

export type Job = CropJob | GenerateJob

/** The stages that `timings_ms` and `cropvlm_stage_duration_seconds` name. */
export type Stage = 'queue' | GenerationStage | 'crop'
export type Timings = Record<Stage, number>

/** What was found for one question. */
export interface Region {
  /** After `expand`; the whole image where `decision` is `fallback`. */
  box: Box
  pixelBox: PixelBox
  decision: 'zoomed' | 'fallback'
  /** Why there is no valid box; null where `decision` is `zoomed`. */
  reason: string | null
  /** exp of the mean log-probability of the tokens the model chose freely, 0..1. */
  confidence: number
  /** The model's own text. */
  raw: string
  pictures: { crop: Picture | null; overlay: Picture | null; targetFull: Picture | null; targetCrop: Picture | null }
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

export interface CropResult {
  kind: 'crop'
  /** One a question, in their order. */
  regions: readonly Region[]
  /** Of the image after EXIF orientation. */
  image: Size
  model: { id: string; resolution: number; tiles: number }
  /** Milliseconds, of all questions. */
  timings: Timings
}

export interface GenerateResult {
  kind: 'generate'
  text: string
  usage: { promptTokens: number; completionTokens: number }
  timings: Timings
}

export type JobResult<J extends Job> = J extends CropJob ? CropResult : GenerateResult

export interface EngineInfo {
  /** Each loaded folder once, the cropper first. */
  models: ModelInfo[]
  executionProvider: ProviderName
  /** Why that provider: the operator's choice, or what `auto` found. */
  executionProviderReason: string
  /** Of the engine process. */
  pid: number
}

/** Parent to child. */
export type EngineRequest =
  /** First and once: load the models. */
  | { type: 'start'; options: WorkerOptions }
  /** To be done together, as one batch where they can be; each is answered by itself. */
  | { type: 'jobs'; jobs: readonly { id: number; job: Job }[] }
  /** Nobody waits for the job any more. */
  | { type: 'abort'; id: number }
  | { type: 'stop' }

/** Child to parent. `ready` comes once the model has really answered once. */
export type EngineReply =
  | { type: 'ready'; info: EngineInfo }
  | { type: 'failed'; error: WireError }
  | { type: 'result'; id: number; result: CropResult | GenerateResult }
  | { type: 'error'; id: number; error: WireError }
