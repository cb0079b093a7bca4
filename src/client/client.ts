/** A typed client of the service, for programs of Node, Bun, Deno and browsers. Its types are those of `/openapi.json`. */
import type { components, operations } from './api.js'
import { ClientError } from './error.js'
import { type ImageInput, imageBody, jsonBody } from './form.js'
import { type SendOptions, send } from './send.js'

export { ClientError, type ImageInput }

type Schemas = components['schemas']
type JsonBody<Operation extends 'crop' | 'answer'> = operations[Operation]['requestBody']['content']['application/json']

type Ask<Operation extends 'crop' | 'answer'> = Omit<JsonBody<Operation>, 'image' | 'question' | 'questions'> & {
  image: ImageInput
}
/** What `/crop` takes: an image, a question, and the options of the API's table. */
export type CropRequest = Ask<'crop'> & { question: string }
/** The same with several questions about the image, which is read once. */
export type CropListRequest = Ask<'crop'> & { questions: string[] }
/** What `/answer` takes. */
export type AnswerRequest = Ask<'answer'> & { question: string }

export type CropReply = Schemas['CropReply']
export type CropListReply = Schemas['CropListReply']
export type AnswerReply = Schemas['AnswerReply']
export type InfoReply = Schemas['InfoReply']

export interface ClientOptions {
  /** The service's address. Default: http://127.0.0.1:8080 */
  baseUrl?: string
  /** Sent as the bearer token. */
  apiKey?: string
  /** How requests are sent. Default: the global `fetch`; a `Service` has one that needs no port. */
  fetch?: typeof fetch
  /** Milliseconds that one try of a request may take. Default: 120,000. */
  timeoutMs?: number
  /** How often a request is sent again that the service refused with 429 or 503, after its `Retry-After`. Default: 0. */
  retries?: number
  /** Longest `Retry-After` that is waited for, in milliseconds; a longer one is not. Default: 30,000. */
  maxRetryAfterMs?: number
}

export interface CallOptions {
  /** Ends the request, and the wait before a further try. */
  signal?: AbortSignal
}

export interface ZoomOptions extends CallOptions {
  /** When a crop is put in. Default: the service's `ZOOM`. */
  zoom?: 'off' | 'auto' | 'always'
}

/** A crop that was put into a chat request. All indices are those of the request as it was sent. */
export interface ZoomBox {
  /** Of the image: the index of its message, and of its part there. */
  message: number
  part: number
  /** Index of the message whose question asked for the crop, and which got it. */
  turn: number
  /** Per cent of the image: x1, y1, x2, y2. */
  bbox: [number, number, number, number]
  /** Pixels of the image. */
  bbox_pixels: [number, number, number, number]
  /** Pixels of the crop as it was put in. */
  crop: { width: number; height: number }
}

export interface ZoomReply<Request> {
  /** The chat request with crops put in. */
  request: Request
  /** What was done, of the newest question; `off` where nothing was looked for. */
  decision: 'zoomed' | 'skipped' | 'fallback' | 'failed' | 'off'
  /** Why nothing was put in; null where there is nothing to explain. */
  reason: string | null
  /** The newest eight crops. */
  boxes: ZoomBox[]
}

/** Every method throws a `ClientError`: with the service's own code and message, or `unreachable`, `timeout`, `aborted`. */
export class CropVlmClient {
  readonly #options: SendOptions

  constructor({
    baseUrl = 'http://127.0.0.1:8080',
    apiKey,
    fetch: send,
    timeoutMs = 120_000,
    retries = 0,
    maxRetryAfterMs = 30_000,
  }: ClientOptions = {}) {
    this.#options = {
      baseUrl: baseUrl.replace(/\/+$/, ''),
      headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
      // browsers refuse their `fetch` as a method of another object
      fetch: send ?? ((input, init) => fetch(input, init)),
      timeoutMs,
      retries,
      maxRetryAfterMs,
    }
  }

  /** The region of an image that helps to answer a question, or one for each of several questions. */
  crop(request: CropRequest, options?: CallOptions): Promise<CropReply>
  crop(request: CropListRequest, options?: CallOptions): Promise<CropListReply>
  crop(request: CropRequest | CropListRequest, options?: CallOptions): Promise<CropReply | CropListReply> {
    return this.#send('/crop', { method: 'POST', ...imageBody(request) }, options)
  }

  /** A target's answer from the full image and the region that helps. */
  answer(request: AnswerRequest, options?: CallOptions): Promise<AnswerReply> {
    return this.#send('/answer', { method: 'POST', ...imageBody(request) }, options)
  }

  /**
   * A chat request of OpenAI's (chat completions, Responses) or Anthropic's (messages) with crops put behind its images, for
   * those who call the model themselves.
   */
  async zoom<Request extends object>(
    request: Request,
    { zoom, signal }: ZoomOptions = {},
  ): Promise<ZoomReply<Request>> {
    const { body, headers } = jsonBody(request)
    const asked = zoom === undefined ? headers : { ...headers, 'x-cropvlm-zoom': zoom }
    const { reply, headers: told } = await send<Request>(
      this.#options,
      '/zoom',
      { method: 'POST', body, headers: asked },
      signal,
    )
    return {
      request: reply,
      decision: (told.get('x-cropvlm-decision') ?? 'off') as ZoomReply<Request>['decision'],
      reason: told.get('x-cropvlm-reason'),
      boxes: JSON.parse(told.get('x-cropvlm-boxes') ?? '[]') as ZoomBox[],
    }
  }

  /** What the service runs: models, limits, targets. */
  info(options?: CallOptions): Promise<InfoReply> {
    return this.#send('/info', {}, options)
  }

  /** Whether a model has answered; false also where no service can be reached. @throws ClientError aborted */
  async isReady({ signal }: CallOptions = {}): Promise<boolean> {
    try {
      await send({ ...this.#options, retries: 0 }, '/health/ready', {}, signal)
      return true
    } catch (error) {
      if (error instanceof ClientError && error.code === 'aborted') throw error
      return false
    }
  }

  async #send<Reply>(path: string, init: RequestInit, { signal }: CallOptions = {}): Promise<Reply> {
    return (await send<Reply>(this.#options, path, init, signal)).reply
  }
}
