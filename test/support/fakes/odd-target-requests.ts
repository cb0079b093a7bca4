/** Endpoints that refuse a request for what it holds, as real ones were reported to do. Each is the reply of an `upstream`. */
import sharp from 'sharp'
import { completion, json, type Received, type Reply } from './upstream.js'

/** An error of OpenAI's API about one field of the request. */
export function unsupported(field: string) {
  const message = `Unsupported parameter: '${field}' is not supported with this model.`
  return { error: { message, type: 'invalid_request_error', param: field, code: 'unsupported_parameter' } }
}

/** OpenAI's gpt-5 and o-series: no `max_tokens`, and no temperature but 1. */
export const thinksLikeGpt5: Reply = (response, received, socket) => {
  const { body } = received
  if ('max_tokens' in body) return json(400, unsupported('max_tokens'))(response, received, socket)
  if ((body.temperature ?? 1) === 1) return completion('482')(response, received, socket)
  const message = `Unsupported value: 'temperature' does not support ${body.temperature} with this model. Only the default (1) value is supported.`
  const error = { message, type: 'invalid_request_error', param: 'temperature', code: 'unsupported_value' }
  return json(400, { error })(response, received, socket)
}

/** Azure: knows a deployment only by a version in the query, and a caller by a header of its own. */
export const wantsAzuresHeader: Reply = (response, received, socket) => {
  const { pathname, searchParams } = new URL(received.url, 'http://azure')
  const isKnown =
    pathname === '/openai/deployments/eyes/chat/completions' &&
    searchParams.get('api-version') === '2024-06-01' &&
    received.headers['api-key'] === 'sk-azure'
  const reply = isKnown ? completion('482') : json(404, { error: { code: '404', message: 'Resource not found' } })
  return reply(response, received, socket)
}

export interface PictureSize {
  width: number
  height: number
}

/**
 * Qwen's image processors: an error for a side below one patch, and for an aspect over 200 (`smart_resize`).
 * @param seen Told the sizes of the pictures of each request.
 */
export function seesLikeQwen(factor: number, seen: (sizes: PictureSize[]) => void): Reply {
  const answer = async (...[response, received, socket]: Parameters<Reply>) => {
    const sizes = await sizesOf(received)
    seen(sizes)
    const problem = sizes.map(size => problemOf(size, factor)).find(Boolean)
    const reply = problem ? json(400, { error: { message: problem, code: 400 } }) : completion('482')
    reply(response, received, socket)
  }
  return (...call) => void answer(...call)
}

function problemOf({ width, height }: PictureSize, factor: number): string | undefined {
  if (Math.min(width, height) < factor) return `height:${height} or width:${width} must be larger than factor:${factor}`
  if (Math.max(width, height) / Math.min(width, height) > 200) return 'absolute aspect ratio must be smaller than 200'
}

async function sizesOf({ body }: Received): Promise<PictureSize[]> {
  const parts = body.messages?.at(-1)?.content ?? []
  const urls = parts.flatMap(part => (part?.image_url ? [part.image_url.url] : []))
  return await Promise.all(
    urls.map(async url => {
      const { width, height } = await sharp(Buffer.from(url.split(',')[1] ?? '', 'base64')).metadata()
      return { width, height }
    }),
  )
}
