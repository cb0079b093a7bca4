/** All that can be set of the proxy under `/v1`. */
import { Type } from '@sinclair/typebox'
import { Choice, HOUR_MS, OrNull } from './schema.js'

/** When the proxy adds a crop. */
export const PROXY_ZOOMS = ['off', 'auto', 'always'] as const
export type ProxyZoom = (typeof PROXY_ZOOMS)[number]

export const PROXY_VARIABLES = {
  zoom: Choice(PROXY_ZOOMS, {
    env: 'ZOOM',
    default: 'auto',
    description:
      'When a request under /v1 gets a crop: auto leaves out one that would not help, always takes every box, off forwards all requests as they are. The header x-cropvlm-zoom and the field cropvlm of the body say otherwise for one request.',
  }),
  zoomMaxImages: Type.Integer({
    env: 'ZOOM_MAX_IMAGES',
    default: 1,
    minimum: 1,
    maximum: 32,
    unit: 'images',
    description: 'Most images of a request under /v1 that get a crop for one question; the last ones are taken.',
  }),
  zoomDetail: Choice(['keep', 'low-high'], {
    env: 'ZOOM_DETAIL',
    default: 'keep',
    description:
      "keep gives a crop the image's own detail; low-high sends the image low and its crop high, as the paper does with GPT.",
  }),
  zoomNote: OrNull(
    Type.String({
      env: 'ZOOM_NOTE',
      default: 'The next picture is an enlarged part of image {image}.',
      blankIsNull: true,
      description:
        'Text put before each crop of a request under /v1; {image} is the number of its image, from 1. Set but empty, or none: no text.',
    }),
    'none',
  ),
  zoomBudgetMs: Type.Integer({
    env: 'ZOOM_BUDGET_MS',
    default: 5000,
    minimum: 1,
    maximum: HOUR_MS,
    unit: 'ms',
    description:
      'How long a request under /v1 waits for its crops; after that it goes on without those that are missing.',
  }),
  zoomFail: Choice(['open', 'closed'], {
    env: 'ZOOM_FAIL',
    default: 'open',
    description:
      'open forwards a request under /v1 without the crop if finding it fails; closed answers with the error.',
  }),
  zoomCacheBytes: Type.Integer({
    env: 'ZOOM_CACHE_BYTES',
    default: 64 * 1024 * 1024,
    minimum: 0,
    maximum: 1024 ** 4,
    unit: 'bytes',
    description:
      'Most memory for crops of requests under /v1, so that each turn of a conversation brings the same ones again; 0 remembers none.',
  }),
  proxyFirstByteTimeoutMs: Type.Integer({
    env: 'PROXY_FIRST_BYTE_TIMEOUT_MS',
    default: 600_000,
    minimum: 100,
    maximum: HOUR_MS,
    unit: 'ms',
    description:
      'How long the target of a request under /v1 may be silent before the first byte of its reply: without streaming it is until the whole answer is there. Between bytes it is TARGET_TIMEOUT_MS.',
  }),
  proxyMaxBodyBytes: Type.Integer({
    env: 'PROXY_MAX_BODY_BYTES',
    default: 100 * 1024 * 1024,
    minimum: 1024,
    maximum: 1024 ** 3,
    unit: 'bytes',
    description: 'Largest request body under /v1 and of /zoom.',
  }),
}
