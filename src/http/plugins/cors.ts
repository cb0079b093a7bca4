/**
 * CORS by hand: @fastify/cors (11) answers OPTIONS on every path, known or not, and what it refuses is plain text, where
 * here a path that there is not stays 404, and a method 405, in the envelope.
 */
import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config/service.js'
import type { MethodsOf } from './not-found.js'

/** What a page of another origin may read of a reply beside its body. */
const EXPOSED = [
  'x-request-id',
  'retry-after',
  'x-cropvlm-decision',
  'x-cropvlm-reason',
  'x-cropvlm-boxes',
  'x-cropvlm-ms',
].join(', ')

/** How long a browser may remember the answer to a preflight, in seconds: the most that Chromium takes. */
const MAX_AGE = '7200'

/**
 * Lets pages of the configured origins use every route, without cookies. Call before what refuses requests, so that errors
 * can be read too, and a preflight, which carries no key, is answered.
 */
export function addCors(
  app: FastifyInstance,
  { corsOrigins }: Pick<Config, 'corsOrigins'>,
  methodsOf: MethodsOf,
): void {
  if (corsOrigins === null) return
  const allowed = new Set(corsOrigins.split(',').map(originOf))
  const isOpen = allowed.has('*')
  app.addHook('onRequest', async ({ method, url, headers }, reply) => {
    // a cache must not give one origin's reply to another
    if (!isOpen) reply.header('vary', 'Origin')
    const { origin } = headers
    if (origin === undefined || !(isOpen || allowed.has(originOf(origin)))) return undefined
    reply.header('access-control-allow-origin', isOpen ? '*' : origin)
    reply.header('access-control-expose-headers', EXPOSED)
    const methods = methodsOf(url)
    if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined || !methods) return undefined
    const wanted = headers['access-control-request-headers']
    return reply
      .code(204)
      .headers({
        'access-control-allow-methods': methods.join(', '),
        // "*" would leave out Authorization
        ...(wanted === undefined ? {} : { 'access-control-allow-headers': wanted }),
        'access-control-max-age': MAX_AGE,
        vary: 'Origin, Access-Control-Request-Headers',
      })
      .send()
  })
}

/** An origin as browsers write it: lower case, without the default port and without a slash at the end. */
function originOf(text: string): string {
  const trimmed = text.trim()
  const url = URL.canParse(trimmed) ? new URL(trimmed) : null
  // `origin` of another scheme, as of a browser's extension, is "null"
  return url && url.origin !== 'null' ? url.origin : trimmed.toLowerCase().replace(/\/$/, '')
}
