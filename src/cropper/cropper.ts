import type { Box, Size } from '../contract/box.js'
import type { Patience } from '../engine/engine.js'
import type { GenerationCost, Stage } from '../engine/protocol.js'
import type { BreakerState } from '../openai/breaker.js'
import type { Usage } from '../openai/usage.js'

/** Ask for the region of one image that helps to answer one question. */
export interface FindRequest extends Patience {
  /** The image file as it was sent (JPEG, PNG or WebP). */
  image: Uint8Array
  question: string
  /** Longest edge of the image that the cropper sees, in pixels; null: the cropper's own choice. */
  resolution: number | null
  /** Whether the engine will make pictures of the image next: if it decodes the image now, it may keep the pixels. */
  keepPixels: boolean
}

/** What a cropper says about one question. */
export interface Found {
  /** In whole per cent of the upright image. Where `decision` is `fallback` it is not used. */
  box: Box
  decision: 'zoomed' | 'fallback'
  /** Why there is no valid box; null where `decision` is `zoomed`. */
  reason: string | null
  /** How sure the cropper is, 0..1; null where it cannot tell. */
  confidence: number | null
  /** The text that the cropper's model wrote. */
  raw: string
  /** Of the image after EXIF orientation, in pixels. */
  image: Size
  /**
   * The model that found it. `resolution` is the longest edge of the image that it saw, in pixels, and `tiles` how many
   * tiles that was cut into; each is null where it means nothing.
   */
  model: { id: string; resolution: number | null; tiles: number | null }
  /** Milliseconds by stage. Boxes that were found together share one object, which counts once. */
  timings: Readonly<Partial<Record<Stage, number>>>
  /** What finding it took; absent if the cropper does not generate tokens in the engine. */
  cost?: GenerationCost
  /** Tokens that a cropper's endpoint reported, null where it did not; absent where no endpoint was asked. */
  usage?: Usage | null
}

export interface CropperInfo {
  /** As `CROPPER` names it. */
  name: string
  /** Longest edges, in pixels, that may be asked for; none where it has only one way to see; null where any may, or while they are not known. */
  resolutions: readonly number[] | null
  /** What users of its boxes should know; for instance that its model knows only certain pictures. */
  warnings: readonly string[]
  /** Name of the model behind an endpoint, and the dialect that it is asked in; absent where no endpoint is asked. */
  model?: string
  dialect?: string
  /** Whether its endpoint is asked while that fails; absent where none is asked, or where it always is. */
  breaker?: BreakerState
  /** Why the configuration means this cropper; absent where no configuration was asked. */
  why?: string
}

/** Anything that finds regions: a model in the engine, a model reached over a network, a rule, a script of a test. */
export interface Cropper {
  readonly info: CropperInfo
  /**
   * Finds one box for each request, in their order. Requests for the same image share what they can.
   * It throws nothing itself: a request that fails has a rejected outcome, whose reason is what `Engine.run` throws, or
   * the error of the cropper's own endpoint.
   */
  find(requests: readonly FindRequest[]): Promise<PromiseSettledResult<Found>[]>
}
