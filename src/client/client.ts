/** A typed client of the service, for programs of Node, Bun, Deno and browsers. Its types are those of `/openapi.json`. */
import type { components, operations } from './api.js'
import { ClientError, replyError } from './error.js'

type Schemas = components['schemas']
type JsonBody<Operation extends 'crop' | 'answer'> = operations[Operation]['requestBody']['content']['application/json']

/** A picture: its bytes (JPEG, PNG or WebP), or a text: a data URL, base64, or a link that the service allows. */
export type ImageInput = Uint8Array | ArrayBuffer | Blob | string

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
  /** Milliseconds that one request may take. Default: 120,000. */
  timeoutMs?: number
}

export interface CallOptions {
  /** Ends the request. */
  signal?: AbortSignal
}

/** Every method throws a `ClientError`: with the service's own code and message, or `unreachable`, `timeout`, `aborted`. */
export class CropVlmClient {
  readonly #baseUrl: string
  readonly #headers: Record<string, string>
  readonly #fetch: typeof fetch
  readonly #timeoutMs: number

  constructor({ baseUrl = 'http://127.0.0.1:8080', apiKey, fetch: send, timeoutMs = 120_000 }: ClientOptions = {}) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '')
    this.#headers = apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }
    this.#fetch = send ?? ((input, init) => fetch(input, init))
    this.#timeoutMs = timeoutMs
  }

  /** The region of an image that helps to answer a question, or one for each of several questions. */
  crop(request: CropRequest, options?: CallOptions): Promise<CropReply>
  crop(request: CropListRequest, options?: CallOptions): Promise<CropListReply>
  crop(request: CropRequest | CropListRequest, options?: CallOptions): Promise<CropReply | CropListReply> {
    return this.#post('/crop', request, options)
  }

  /** A target's answer from the full image and the region that helps. */
  answer(request: AnswerRequest, options?: CallOptions): Promise<AnswerReply> {
    return this.#post('/answer', request, options)
  }

  /** What the service runs: models, limits, targets. */
  info(options?: CallOptions): Promise<InfoReply> {
    return this.#send('/info', {}, options)
  }

  /** Whether a model has answered. False also where no service can be reached. */
  async isReady(options?: CallOptions): Promise<boolean> {
    return this.#send('/health/ready', {}, options).then(
      () => true,
      () => false,
    )
  }

  #post<Reply>(path: string, request: CropRequest | CropListRequest | AnswerRequest, options?: CallOptions) {
    const body = typeof request.image === 'string' ? JSON.stringify(request) : form({ ...request })
    const headers: Record<string, string> = typeof body === 'string' ? { 'content-type': 'application/json' } : {}
    return this.#send<Reply>(path, { method: 'POST', body, headers }, options)
  }

  async #send<Reply>(path: string, init: RequestInit, { signal }: CallOptions = {}): Promise<Reply> {
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const either = signal ? AbortSignal.any([signal, timeout]) : timeout
    try {
      const headers = { ...this.#headers, ...(init.headers as Record<string, string> | undefined) }
      const response = await this.#fetch(`${this.#baseUrl}${path}`, { ...init, headers, signal: either })
      const text = await response.text()
      if (!response.ok) throw replyError(response, text)
      return JSON.parse(text) as Reply
    } catch (error) {
      if (error instanceof ClientError) throw error
      if (signal?.aborted) throw new ClientError('aborted', 'The request was aborted.', { cause: error })
      if (timeout.aborted)
        throw new ClientError('timeout', `No reply within ${this.#timeoutMs} ms; see timeoutMs.`, { cause: error })
      if (error instanceof SyntaxError)
        throw new ClientError('unreachable', `${this.#baseUrl} is no CropVLM service: its reply is not JSON.`, {
          cause: error,
        })
      throw new ClientError('unreachable', `No service answers at ${this.#baseUrl}: ${reason(error)}`, { cause: error })
    }
  }
}

/** Files go as a form, which the service reads as it arrives. */
function form({ image, ...fields }: { image: ImageInput } & Record<string, unknown>): FormData {
  const body = new FormData()
  // fields first: they are read before the file has arrived
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null)
      body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  body.set('image', image instanceof Blob ? image : new Blob([image as Uint8Array<ArrayBuffer>]), 'image')
  return body
}

function reason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error && cause.message !== '' ? cause.message : message
}
