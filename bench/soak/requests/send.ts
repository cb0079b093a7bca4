/** One HTTP request, and what came of it; nothing throws. */
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'

export interface Reply {
  /** 0: none came. */
  status: number
  headers: IncomingHttpHeaders
  /** Its beginning, where it is very long. */
  body: Buffer
  /** Whether the reply broke off before its end. */
  isCut: boolean
}

export interface Message {
  method?: string
  type?: string
  headers?: Record<string, string>
  body?: Buffer | Readable
  /** Ends the request, whatever it is doing. */
  signal?: AbortSignal
}

/** More than the service's longest deadline: a reply that has not come by then never will. */
const MAX_MS = 150_000

/** What is kept of a reply, in bytes: a flood of the target comes through whole. */
const MAX_HELD = 4 * 2 ** 20

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })

/** Closes the connections that are kept. */
export function closeConnections(): void {
  agent.destroy()
}

export async function send(url: string, message: Message = {}): Promise<Reply> {
  const once = () => attempt(url, message)
  const first = await once()
  // the service closed a kept connection just as it was used again, which every client has to live with
  return first === 'stale' ? ((await once()) as Reply) : first
}

function attempt(url: string, { method = 'POST', type, headers, body, signal }: Message): Promise<Reply | 'stale'> {
  return new Promise(resolve => {
    const sending = request(url, {
      method,
      agent,
      headers: {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(Buffer.isBuffer(body) ? { 'content-length': body.length } : {}),
        ...headers,
      },
      signal: AbortSignal.any([AbortSignal.timeout(MAX_MS), ...(signal ? [signal] : [])]),
    })
    sending.once('response', response => resolve(readReply(response)))
    sending.on('error', (error: NodeJS.ErrnoException) => {
      const isStale = sending.reusedSocket && error.code === 'ECONNRESET' && !(body instanceof Readable)
      resolve(isStale ? 'stale' : { status: 0, headers: {}, body: Buffer.alloc(0), isCut: true })
    })
    if (body instanceof Readable) body.on('error', () => sending.destroy()).pipe(sending)
    else sending.end(body)
  })
}

function readReply(response: IncomingMessage): Promise<Reply> {
  return new Promise(resolve => {
    const parts: Buffer[] = []
    const done = () => {
      const { statusCode: status = 0, headers, complete } = response
      resolve({ status, headers, body: Buffer.concat(parts), isCut: !complete })
    }
    let held = 0
    response.on('data', (part: Buffer) => {
      held += part.length
      if (held <= MAX_HELD) parts.push(part)
    })
    response.once('error', done).once('close', done)
  })
}
