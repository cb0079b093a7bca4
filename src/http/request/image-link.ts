/** The hook that fetches an image which a JSON body names by a link. */
import type { FastifyRequest } from 'fastify'
import type { ImageLinks } from '../../links/links.js'
import { deadlineOf } from '../plugins/deadline.js'
import type { Body } from './body-schema.js'
import { imageText, isLink } from './json-image.js'

const durations = new WeakMap<FastifyRequest, number>()

/** Milliseconds that fetching the image took; undefined where it came with the request. */
export function fetchMsOf(request: FastifyRequest): number | undefined {
  return durations.get(request)
}

/**
 * Makes a `preHandler` hook: it puts the file in the place of its link.
 * @throws CropVlmError What `ImageLinks.fetch` throws.
 */
export function linkFetcher(links: ImageLinks): (request: FastifyRequest) => Promise<void> {
  return async request => {
    // the body has been validated
    const body = request.body as Body<Record<never, never>>
    if (Buffer.isBuffer(body.image)) return
    const text = imageText(body.image)
    if (!isLink(text)) return
    const start = performance.now()
    body.image = await links.fetch(text.trim(), deadlineOf(request))
    durations.set(request, performance.now() - start)
  }
}
