/** What one request says of its zoom: by the header `x-cropvlm-zoom`, the field `cropvlm` of its body, else the settings. */
import { type Static, Type } from '@sinclair/typebox'
import { PROXY_ZOOMS, type ProxyZoom } from '../config/proxy.js'
import { Choice, compileSchema, type Described, expectedBy, wrongKeys } from '../config/schema.js'
import type { Config } from '../config/service.js'
import { CropVlmError } from '../errors.js'

export const ZOOM_HEADER = 'x-cropvlm-zoom'

/** The field `cropvlm`. */
export const BODY_OPTIONS = Type.Object(
  {
    zoom: Type.Optional(Choice(PROXY_ZOOMS, { description: 'When a crop is added; ZOOM.' })),
    resolution: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_536, description: 'Longest edge in pixels the cropper sees.' }),
    ),
    expand: Type.Optional(
      Type.Number({ minimum: 1, maximum: 10, description: "Grows the box's area by this factor about its centre." }),
    ),
    max_images: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 32, description: 'Most images that get a crop; ZOOM_MAX_IMAGES.' }),
    ),
  },
  { additionalProperties: false },
)

export interface ZoomOptions {
  zoom: ProxyZoom
  /** null: the cropper's own. */
  resolution: number | null
  expand: number
  maxImages: number
}

const check = compileSchema(BODY_OPTIONS)

/** The header's value; null where there is none. @throws CropVlmError invalid_option */
export function zoomHeader(value: string | string[] | undefined): ProxyZoom | null {
  if (value === undefined) return null
  const zoom = PROXY_ZOOMS.find(name => name === String(value).trim().toLowerCase())
  if (zoom) return zoom
  throw new CropVlmError('invalid_option', `The header ${ZOOM_HEADER} must be one of ${PROXY_ZOOMS.join(', ')}.`, {
    param: ZOOM_HEADER,
  })
}

/**
 * @param header As of `zoomHeader`; it goes before the body.
 * @param body The value of the body's field; undefined where there is none.
 * @throws CropVlmError invalid_option, unknown_option
 */
export function zoomOptions(
  header: ProxyZoom | null,
  body: unknown,
  settings: Pick<Config, 'zoom' | 'zoomMaxImages'>,
): ZoomOptions {
  const given = body === undefined || body === null ? {} : checked(body)
  return {
    zoom: header ?? given.zoom ?? settings.zoom,
    resolution: given.resolution ?? null,
    expand: given.expand ?? 1,
    maxImages: given.max_images ?? settings.zoomMaxImages,
  }
}

function checked(body: unknown): Static<typeof BODY_OPTIONS> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CropVlmError('invalid_option', '`cropvlm` must be an object of options.', { param: 'cropvlm' })
  // null is as good as leaving it out
  const given = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))
  if (check(given)) return given
  const names = Object.keys(BODY_OPTIONS.properties)
  const [wrong = ''] = wrongKeys(check)
  const param = `cropvlm.${wrong.slice(0, 64)}`
  if (!names.includes(wrong))
    throw new CropVlmError('unknown_option', `\`${param}\` is not an option; those are ${names.join(', ')}.`, { param })
  const schema = BODY_OPTIONS.properties[wrong as keyof typeof BODY_OPTIONS.properties] as Described
  throw new CropVlmError('invalid_option', `\`${param}\` must be ${expectedBy(schema)}.`, { param })
}
