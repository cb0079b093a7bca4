/** The page at `/`: a few files from memory, open to everybody; what it asks of the service needs the key as ever. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'
import { type PageFile, readPage } from '../page-files.js'

/** The page loads and asks what is of its own origin, and nothing else; it may not be put into a frame. */
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  // the picture that was chosen
  "img-src 'self' blob: data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const HEADERS = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  // asked for each time, and answered with 304 where nothing is new
  'cache-control': 'no-cache',
}

/** `GET /` and `GET /page/*`, and HEAD of both. */
export async function pageRoutes(app: FastifyInstance): Promise<void> {
  const files = await readPage()
  const options = { config: { open: true }, schema: { hide: true } }
  app.get('/', options, async (request, reply) => send(request, reply, files.get('index.html')))
  app.get<{ Params: { '*': string } }>('/page/*', options, async (request, reply) =>
    send(request, reply, files.get(request.params['*'])),
  )
}

/** @throws CropVlmError not_found */
function send(request: FastifyRequest, reply: FastifyReply, file: PageFile | undefined): FastifyReply {
  if (!file) throw new CropVlmError('not_found', 'The page has no such file.')
  reply.headers(HEADERS).header('etag', file.etag)
  if (isKnown(request.headers['if-none-match'], file.etag)) return reply.code(304).send()
  return reply.type(file.type).send(file.bytes)
}

/** Whether a client has the file: a proxy that compresses makes its tag a weak one, and some lists hold several. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(',').some(tag => tag.trim().replace(/^W\//, '') === etag) ?? false
}
