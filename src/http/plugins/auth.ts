import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { CropVlmError } from '../../errors.js'

/**
 * Checks the bearer token of each request against the one key, but for routes whose config says `open`; with no key
 * configured every request passes. Compares hashes, so that neither the time taken nor a length tells anything about
 * the key.
 */
export function addAuth(app: FastifyInstance, apiKey: string | null): void {
  if (apiKey === null) return
  const expected = sha256(apiKey)
  app.addHook('onRequest', async ({ routeOptions, headers }) => {
    if (routeOptions.config?.open) return
    const token = /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]
    if (token !== undefined && timingSafeEqual(sha256(token.trim()), expected)) return
    throw new CropVlmError(
      'invalid_api_key',
      token === undefined
        ? 'This service needs a key: send it as "Authorization: Bearer <key>".'
        : 'The key is not the one this service was given.',
    )
  })
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
