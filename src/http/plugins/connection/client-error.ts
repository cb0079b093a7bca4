import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { CropVlmError } from '../../../errors.js'
import { errorReply } from '../errors.js'

/**
 * Answers what never became a request: broken HTTP, headers that are too large or that did not arrive in time. There is
 * no reply object yet, so the error is written to the socket directly.
 */
export function onClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const [status, message] = REASONS[error.code ?? ''] ?? ['400 Bad Request', 'This is not HTTP/1.1.']
  answerSocket(socket, status, new CropVlmError('invalid_body', message))
}

/** Writes an error to a connection, and closes that. @param status As the reply's first line has it. */
export function answerSocket(socket: Socket, status: string, error: CropVlmError): void {
  const { body, headers } = errorReply(error, randomUUID())
  const text = JSON.stringify(body)
  const head = [
    `HTTP/1.1 ${status}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(text)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'connection: close',
  ]
  if (socket.writable) socket.end(`${head.join('\r\n')}\r\n\r\n${text}`)
  socket.destroySoon()
}

const REASONS: Readonly<Record<string, [status: string, message: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request did not arrive in time.'],
  HPE_INVALID_EOF_STATE: ['400 Bad Request', 'The connection ended before all of the body had come.'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too large.'],
}
