/** What the routes that do work, `/crop` and `/answer`, have in common. */
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import type { PictureOptions } from '../../image/picture.js'
import type { ImageLinks } from '../../links/links.js'
import type { FindRegions, Zoom } from '../../zoom/zoom.js'
import { deadlineOf } from '../plugins/deadline.js'
import { bodyReader } from '../request/body.js'
import { fetchMsOf, linkFetcher } from '../request/image-link.js'
import type { Input } from '../request/input.js'
import type { ANSWER_OPTIONS, CROP_OPTIONS } from '../request/options.js'

/** What a route that does work stands on. */
export interface Work {
  config: Config
  zoom: Zoom
  links: ImageLinks
}

/**
 * The route's options beside its schema. Whether there is room is asked before a byte of the body is read: under overload
 * most of the work would be to receive what is refused.
 */
export function workOptions(bodies: Parameters<typeof bodyReader>[0], { config, zoom: { engine }, links }: Work) {
  return {
    config: { work: true },
    onRequest: async (request: FastifyRequest) => engine.checkRoom(deadlineOf(request).deadline),
    preValidation: bodyReader(bodies, config),
    preHandler: linkFetcher(links),
  }
}

type ZoomInput = Input<typeof CROP_OPTIONS> | Input<typeof ANSWER_OPTIONS>

/** What every request for a region says. */
export function wanted(
  { image, options: { resolution, expand, zoom, box } }: ZoomInput,
  request: FastifyRequest,
  { zoomMinConfidence, zoomMaxArea }: Config,
): Omit<FindRegions, 'questions' | 'pictures' | 'view'> {
  const gate = { mode: zoom, minConfidence: zoomMinConfidence, maxArea: zoomMaxArea }
  const fetchMs = fetchMsOf(request)
  return { image, resolution, expand, gate, box, ...(fetchMs === undefined ? {} : { fetchMs }), ...deadlineOf(request) }
}

/** The pictures that the caller gets back. */
export function callerPictures({ return: returned, format, quality }: ZoomInput['options']): {
  crop: PictureOptions | null
  overlay: PictureOptions | null
} {
  const picture = { format, quality, longestEdge: null }
  return { crop: returned === 'crop' ? picture : null, overlay: returned === 'overlay' ? picture : null }
}
