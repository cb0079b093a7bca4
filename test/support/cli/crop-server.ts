/** A server that speaks `/crop`, `/answer` and `/info` from a script, one reply after the other. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export interface Asked {
  path: string
  /** Fields of the form or the JSON body. */
  fields: Record<string, unknown>
  /** Bytes of the image, of a form. */
  image: Buffer | null
  /** How often this question was asked before. */
  before: number
}

/** Undefined: a box. */
export type Scripted =
  | { status: number; code?: string; retryAfter?: number; text?: string; details?: unknown }
  | { reply: Record<string, unknown> }
  | 'hang up'
  | undefined

export interface CropServer {
  url: string
  asked: Asked[]
  /** Requests in flight at most. */
  peak: number
  close(): Promise<void>
}

const BODY_BYTES = 20_000

export async function startCropServer(
  t: Test,
  script: (asked: Asked) => Scripted | Promise<Scripted> = () => undefined,
  { port = 0, apiKey }: { port?: number; apiKey?: string } = {},
): Promise<CropServer> {
  let inFlight = 0
  const times = new Map<unknown, number>()
  const server = createServer(async (request, response) => {
    if (apiKey !== undefined && request.headers.authorization !== `Bearer ${apiKey}`)
      return failure(response, { status: 401, code: 'invalid_api_key' })
    if (request.url === '/info') return json(response, 200, { limits: { body_bytes: BODY_BYTES } })
    started.peak = Math.max(started.peak, ++inFlight)
    const { fields, image } = await read(request)
    const before = times.get(fields.question) ?? 0
    times.set(fields.question, before + 1)
    const asked = { path: request.url ?? '', fields, image, before }
    started.asked.push(asked)
    const scripted = await script(asked)
    inFlight--
    if (scripted === 'hang up') return response.destroy()
    if (scripted !== undefined && 'status' in scripted) return failure(response, scripted)
    return json(response, 200, { ...boxReply(asked), ...scripted?.reply })
  })
  const started: CropServer = {
    url: '',
    asked: [],
    peak: 0,
    async close() {
      const closed = new Promise<void>(done => server.close(() => done()))
      server.closeAllConnections()
      await closed
    },
  }
  await new Promise<void>(done => server.listen(port, '127.0.0.1', done))
  t.teardown(() => started.close())
  started.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return started
}

/** A reply whose box tells the question's length, so that replies are told apart. */
function boxReply({ path, fields }: Asked): Record<string, unknown> {
  const bbox = [0, 0, 50, 1 + (String(fields.question).length % 99)]
  const region = { bbox, bbox_pixels: bbox, image: { width: 100, height: 100 }, decision: 'zoomed', reason: null }
  const model = { id: 'scripted', resolution: 512, tiles: 1 }
  const crop = { would_skip: null, confidence: 0.5, raw: '', model, timings_ms: { total: 1 }, warnings: [] }
  const picture =
    fields.return === 'crop' ? { crop: { media_type: 'image/jpeg', width: 1, height: 1, data: 'Y3JvcA==' } } : {}
  const found = { object: path.slice(1), ...region, ...crop, ...picture, request_id: 'r' }
  if (path !== '/answer') return found
  const target = { name: 'mini', model: 'mini', usage: { prompt_tokens: 9, completion_tokens: 2 } }
  const said = { finish_reason: 'stop', refusal: null, reasoning: null, usage: null }
  const compare = String(fields.compare) === 'true' ? { compare: { answer: '8', agrees: false, ...said } } : {}
  return { ...found, answer: '7', ...said, target, ...compare }
}

function failure(response: ServerResponse, scripted: Exclude<Scripted, string | undefined | { reply: unknown }>) {
  const { status, code = 'invalid_option', retryAfter, text, details } = scripted
  if (retryAfter !== undefined) response.setHeader('retry-after', String(retryAfter))
  if (text !== undefined) return response.writeHead(status).end(text)
  return json(response, status, { error: { message: `It is ${code}.`, code, source: 'gateway', details } })
}

async function read(request: IncomingMessage): Promise<Pick<Asked, 'fields' | 'image'>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const type = request.headers['content-type'] ?? ''
  if (type.startsWith('application/json')) return { fields: JSON.parse(String(body)), image: null }
  const form = await new Response(body, { headers: { 'content-type': type } }).formData()
  const { image, ...fields } = Object.fromEntries(form)
  return { fields, image: image instanceof Blob ? Buffer.from(await image.arrayBuffer()) : null }
}

function json(response: ServerResponse, status: number, body: unknown) {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
