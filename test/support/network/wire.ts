/** A connection that a test writes by hand, and what comes back on it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface WireReply {
  status: number
  /** By their names in small letters. */
  headers: Record<string, string>
  body: string
}

export class Wire {
  /** Resolves when the connection has ended, however it did. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #text = ''

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text
    })
    // a reset is what some tests are about
    socket.on('error', () => {})
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
  }

  static async open(url: string): Promise<Wire> {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const wire = new Wire(socket)
    await once(socket, 'connect')
    return wire
  }

  /** Resolves once the system has all of it. */
  async write(bytes: string | Uint8Array): Promise<void> {
    if (bytes.length > 0) await new Promise<void>(resolve => this.#socket.write(bytes, () => resolve()))
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** All that has come. */
  get text(): string {
    return this.#text
  }

  /** Resolves once the text has come. @throws Error: the connection ended without it */
  async until(text: string): Promise<void> {
    await this.#until(() => this.#text.includes(text), JSON.stringify(text))
  }

  /** So many replies, whole. @throws Error: the connection ended without them */
  async replies(count: number): Promise<WireReply[]> {
    await this.#until(() => parsed(this.#text).length >= count, `${count} whole replies`)
    return parsed(this.#text)
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    while (!isThere()) {
      if (this.#socket.destroyed) throw new Error(`the connection ended without ${what}: ${JSON.stringify(this.#text)}`)
      await Promise.race([once(this.#socket, 'data'), this.closed])
    }
  }
}

/** The replies that are whole. */
function parsed(text: string): WireReply[] {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return []
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const rest = text.slice(end + 4)
  const body =
    headers['transfer-encoding'] === 'chunked' ? chunked(rest) : sized(rest, Number(headers['content-length']))
  if (body === null) return []
  return [{ status: Number(first.split(' ')[1]), headers, body: body.text }, ...parsed(rest.slice(body.end))]
}

function sized(text: string, length: number): { text: string; end: number } | null {
  return text.length < length ? null : { text: text.slice(0, length), end: length }
}

function chunked(text: string): { text: string; end: number } | null {
  let whole = ''
  for (let at = 0; ; ) {
    const line = text.indexOf('\r\n', at)
    if (line === -1) return null
    const size = Number.parseInt(text.slice(at, line), 16)
    const end = line + 2 + size + 2
    if (text.length < end) return null
    if (size === 0) return { text: whole, end }
    whole += text.slice(line + 2, end - 2)
    at = end
  }
}
