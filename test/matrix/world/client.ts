/** Requests to a service under test. No connection is kept, so that the descriptors of an idle service can be counted. */
import { Agent, FormData, fetch, type RequestInit } from 'undici'

/** What came back. Where nothing did, `status` is 0 and `text` says why. */
export interface Reply {
  readonly status: number
  readonly text: string
  /** The body as JSON; an empty object where it is none. */
  readonly body: ReplyBody
  /** Milliseconds from the start of the request to the end of the reply. */
  readonly ms: number
  readonly header: (name: string) => string | null
}

/** As much of the replies as the rows look at. */
export interface ReplyBody {
  bbox?: number[]
  bbox_pixels?: number[]
  decision?: string
  reason?: string | null
  answer?: string
  image?: { width: number; height: number }
  crop?: { data: string; width: number; height: number }
  error?: {
    code: string
    message: string
    type: string
    source: string
    details?: { crop?: ReplyBody; [name: string]: unknown }
  }
  request_id?: string
}

export interface How {
  path?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

export const QUESTION = 'What is the total?'
/** No request of a row may take longer, whatever it is. */
const MAX_MS = 90_000

const dispatcher = new Agent({ pipelining: 0, headersTimeout: 0, bodyTimeout: 0 })

export class Client {
  readonly url: string
  readonly #key: Record<string, string>

  /** @param key What the service asks its callers for; null: nothing. */
  constructor(url: string, key: string | null = null) {
    this.url = url
    this.#key = key === null ? {} : { authorization: `Bearer ${key}` }
  }

  async post(
    body: RequestInit['body'],
    { path = '/crop', headers = {}, signal = AbortSignal.timeout(MAX_MS) }: How = {},
  ): Promise<Reply> {
    return await this.#send(path, { method: 'POST', body: body ?? null, headers: { ...this.#key, ...headers }, signal })
  }

  /** An image and a question as a form. Without a question: null. */
  crop(image: Uint8Array, options: Record<string, unknown> = {}, how: How & { question?: string | null } = {}) {
    const form = new FormData()
    form.append('image', new Blob([new Uint8Array(image)]), 'image')
    const { question = QUESTION, ...rest } = how
    if (question !== null) form.append('question', question)
    for (const [name, value] of Object.entries(options)) form.append(name, String(value))
    return this.post(form, rest)
  }

  /** @param body As it is where it is a text or bytes. */
  json(body: unknown, how: How = {}): Promise<Reply> {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
    return this.post(text, { ...how, headers: { 'content-type': 'application/json', ...how.headers } })
  }

  get(path: string): Promise<Reply> {
    return this.#send(path, { method: 'GET', signal: AbortSignal.timeout(MAX_MS) })
  }

  /** The value of one line of `/metrics`, written as it stands there. */
  async metric(name: string): Promise<number> {
    const { text } = await this.get('/metrics')
    const line = text.split('\n').find(one => one.startsWith(`${name} `))
    return Number(line?.slice(name.length + 1))
  }

  async #send(path: string, init: RequestInit): Promise<Reply> {
    const start = performance.now()
    const took = () => performance.now() - start
    try {
      const reply = await fetch(this.url + path, { ...init, dispatcher })
      const text = await reply.text()
      return { status: reply.status, text, body: parsed(text), ms: took(), header: name => reply.headers.get(name) }
    } catch (error) {
      const { message, cause } = error as Error & { cause?: { code?: string } }
      return { status: 0, text: cause?.code ?? message, body: {}, ms: took(), header: () => null }
    }
  }
}

function parsed(text: string): ReplyBody {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
