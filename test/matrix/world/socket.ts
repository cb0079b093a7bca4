/** Requests written byte by byte, for what no client would send. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Raw {
  /** Of the first reply; 0 where none came. */
  status: number
  /** All that came back. */
  text: string
  /** Milliseconds to the first byte of a reply; null where none came. */
  firstMs: number | null
  /** Milliseconds until the connection was closed. */
  ms: number
  /** Whether the other side closed it, before `patienceMs` had passed. */
  isClosed: boolean
}

interface Manner {
  /** Wait between two pieces. */
  pauseMs?: number
  /** How long until this side closes the connection. */
  patienceMs?: number
  /** Whether this side closes as soon as something came back. */
  leavesOnReply?: boolean
}

/** Writes the pieces one by one for as long as the other side takes them, and reads what comes back. */
export async function write(url: string, pieces: Iterable<string | Uint8Array>, manner: Manner = {}): Promise<Raw> {
  const { pauseMs = 0, patienceMs = 20_000, leavesOnReply = false } = manner
  const { hostname, port } = new URL(url)
  const start = performance.now()
  const raw: Raw = { status: 0, text: '', firstMs: null, ms: 0, isClosed: true }
  const socket = connect(Number(port), hostname)
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  // a reset is one of the ways in which it ends
  socket.on('error', () => {})
  socket.on('data', data => {
    raw.firstMs ??= performance.now() - start
    raw.text += data.toString('latin1')
    if (leavesOnReply) socket.end()
  })
  const timer = setTimeout(() => {
    raw.isClosed = false
    socket.destroy()
  }, patienceMs)
  await Promise.race([once(socket, 'connect').catch(() => {}), closed])
  for (const piece of pieces) {
    if (socket.destroyed || socket.writableEnded) break
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => {}), closed])
    if (pauseMs > 0) await Promise.race([sleep(pauseMs), closed])
  }
  await closed
  clearTimeout(timer)
  raw.ms = performance.now() - start
  raw.status = Number(/^HTTP\/1\.1 (\d+)/.exec(raw.text)?.[1] ?? 0)
  return raw
}

/** The lines of a POST before its body. */
export function head(...lines: string[]): string {
  return ['POST /crop HTTP/1.1', 'host: matrix', ...lines, '', ''].join('\r\n')
}

/** One piece of a chunked body. */
export function chunk(data: Uint8Array | string): Buffer {
  const bytes = Buffer.from(data)
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
}
