/**
 * What the log may contain: method, path, status and times of a request. Keys and image bytes are never logged, whatever
 * the level; questions only at trace.
 */
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify'
import type { Logger } from 'pino'
import { keyOf } from './auth/auth.js'

const SECRET_HEADERS = ['authorization', 'proxy-authorization', 'cookie', 'x-api-key', 'api-key', 'x-goog-api-key']
/** Where headers can turn up. */
const HEADER_PLACES = ['headers', '*.headers']
/** What @fastify/multipart logs at trace: all headers of a form, whatever gateways in front put into them. */
const FORM_HEADERS = 'busboyOptions.headers.*'

/** A logger that cannot print secrets, whatever object it is handed. */
export function guardLog(log: Logger): Logger {
  const paths = HEADER_PLACES.flatMap(place => SECRET_HEADERS.map(header => `${place}["${header}"]`))
  return log.child({}, { redact: [...paths, FORM_HEADERS, '*.apiKey', 'apiKey'], serializers: { req, res, err } })
}

/** One line for each request. Routes whose config says `probe` are asked every few seconds, and are logged at debug only. */
export class RequestLog extends LogController {
  /** @param isForwarded Whether proxies in front are believed: then the host and scheme that they tell are worth a word. */
  constructor(private readonly isForwarded: boolean) {
    super()
  }

  override incomingRequest(): void {}

  override requestCompleted(error: Error | null | undefined, request: FastifyRequest, reply: FastifyReply): void {
    const key = keyOf(request)
    const line = {
      req: request,
      res: reply,
      ms: Math.round(reply.elapsedTime),
      ...(key === null ? {} : { key }),
      ...(this.isForwarded ? { host: request.host, protocol: request.protocol } : {}),
    }
    if (error) request.log.error({ ...line, err: error }, 'reply failed')
    else request.log[request.routeOptions.config?.probe ? 'debug' : 'info'](line, 'request')
  }
}

/** The query is left out: a caller may have put a question there. */
function req(request: { method?: string; url?: string; ip?: string }) {
  return { method: request.method, path: request.url?.split('?', 1)[0], from: request.ip }
}

function res(reply: { statusCode?: number }) {
  return { status: reply.statusCode }
}

/** Name, code and stack of an error and its causes; never their other properties, which may hold a body or a header. */
function err(error: unknown, depth = 0): Record<string, unknown> | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, message, stack, cause } = error
  const code = (error as { code?: unknown }).code
  const inner = depth < 3 ? err(cause, depth + 1) : undefined
  return { type: name, message, code, stack, ...(inner ? { cause: inner } : {}) }
}
