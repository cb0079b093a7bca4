import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'

/**
 * Answers what never became a request: broken HTTP, headers that are too large or that did not arrive in time. There is
 * no reply object yet, so the error is written to the socket directly.
 */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = REASONS[error.code ?? ''] ?? ['400 Bad Request', 'This is not HTTP/1.1.']
  const id = randomUUID()
  const fields = { message, type: 'invalid_request_error', param: null, code: 'invalid_body', source: 'gateway' }
  const body = JSON.stringify({ error: fields, request_id: id })
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${id}`,
    'connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${body}`)
  socket.destroySoon()
}

const REASONS: Readonly<Record<string, [status: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too large.'],
}
