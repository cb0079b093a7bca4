import type { FastifyInstance, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../../errors.js'
import type { KeyRing } from './key-ring.js'

const keyIds = new WeakMap<FastifyRequest, string>()

/** Which key a request was sent with, as `KeyRing` names it; null where no key is needed, or none was right. */
export function keyOf(request: FastifyRequest): string | null {
  return keyIds.get(request) ?? null
}

/**
 * Looks for the bearer token of each request among the keys; routes whose config says `open` are left out. Where no key is
 * needed every request passes.
 */
export function addAuth(app: FastifyInstance, keys: KeyRing): void {
  if (!keys.isNeeded) return
  app.addHook('onRequest', async request => {
    const { routeOptions, headers } = request
    if (routeOptions.config?.open) return
    const bearer = /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]
    const token = bearer ?? (routeOptions.config?.anyKeyHeader ? headers['x-api-key']?.toString() : undefined)
    const id = token === undefined ? null : keys.idOf(token.trim())
    if (id !== null) {
      keyIds.set(request, id)
      return
    }
    throw new CropVlmError(
      'invalid_api_key',
      token === undefined
        ? 'This service needs a key: send it as "Authorization: Bearer <key>".'
        : keys.isOne
          ? 'The key is not the one this service was given.'
          : 'The key is none of those this service was given.',
    )
  })
}
