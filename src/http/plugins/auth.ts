import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether the route asks for no key. */
    open?: boolean
  }
}

/** Routes an orchestrator or a scraper asks without a key. */
const OPEN_ROUTES = new Set(['/health', '/health/live', '/health/ready', '/metrics'])

/**
 * Checks the bearer token of a request against the one key; with no key configured every request passes.
 * Compares hashes, so that neither the time taken nor a length tells anything about the key.
 */
export function keyCheck(apiKey: string | null): (request: FastifyRequest) => void {
  if (apiKey === null) return () => {}
  const expected = sha256(apiKey)
  return request => {
    const { url = '', config } = request.routeOptions
    if (config.open || OPEN_ROUTES.has(url)) return
    const token = /^Bearer +(.*)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token !== undefined && timingSafeEqual(sha256(token.trim()), expected)) return
    throw new CropVlmError(
      'invalid_api_key',
      token === undefined
        ? 'This service needs a key: send it as "Authorization: Bearer <key>".'
        : 'The key is not the one this service was given.',
    )
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
