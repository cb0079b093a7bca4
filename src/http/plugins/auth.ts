import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { CropVlmError } from '../../errors.js'

/**
 * Compares the bearer token of each request with the key; routes whose config says `open` are left out. Without a
 * configured key every request passes. Hashes are compared, so that the time that this takes tells nothing about the key.
 */
export function addAuth(app: FastifyInstance, apiKey: string | null): void {
  if (apiKey === null) return
  const expected = sha256(apiKey)
  app.addHook('onRequest', async ({ routeOptions, headers }) => {
    if (routeOptions.config?.open) return
    const bearer = /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]
    const token = bearer ?? (routeOptions.config?.anyKeyHeader ? headers['x-api-key']?.toString() : undefined)
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
