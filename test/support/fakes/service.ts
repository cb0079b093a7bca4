/** A server that speaks the service's API from a script, for the evaluation's own tests. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What `/answer` gives for one question. */
export interface Script {
  status?: number
  bbox?: number[]
  decision?: string
  /** What zoom=auto would say. */
  wouldSkip?: string
  /** Tokens of the prompt with the crop; without it, half of that. */
  promptTokens?: number
  answer?: string
  without?: string
  /** In the field of its own; of the answer with the crop. */
  refusal?: string
  /** Sent as it is instead of a reply. */
  text?: string
  /** Cut the connection without a reply. */
  hangUp?: boolean
}

export interface ScriptedService {
  url: string
  /** Fields of each `/answer` in order of arrival; `image` is its size in bytes. */
  requests: Record<string, string>[]
  /** Requests in flight at most. */
  peak: number
  close(): Promise<void>
}

/** @param together No reply leaves before this many requests have arrived, so that overlap is certain. */
export async function startScripted(
  scripts: Record<string, Script>,
  { apiKey, together = 1 }: { apiKey?: string; together?: number } = {},
): Promise<ScriptedService> {
  let inFlight = 0
  let release = () => {}
  const enough = new Promise<void>(done => {
    release = done
  })
  const service = { url: '', requests: [] as Record<string, string>[], peak: 0, close: async () => {} }
  const server = createServer(async (request, response) => {
    if (apiKey && request.headers.authorization !== `Bearer ${apiKey}`)
      return json(response, 401, { error: { code: 'invalid_api_key' } })
    if (request.url === '/info') return json(response, 200, { version: '0.0.0' })
    service.peak = Math.max(service.peak, ++inFlight)
    const fields = await readForm(request)
    service.requests.push(fields)
    if (service.requests.length >= together) release()
    await enough
    inFlight--
    reply(response, scripts[fields.question ?? ''])
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  service.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  service.close = () => new Promise(done => server.close(() => done()))
  return service
}

function reply(response: ServerResponse, script: Script = {}): unknown {
  const {
    status = 200,
    bbox = [0, 0, 50, 50],
    decision = 'zoomed',
    answer = '',
    without = '',
    refusal = null,
    text,
    hangUp,
  } = script
  const tokens = (share: number) =>
    script.promptTokens === undefined ? null : { prompt_tokens: script.promptTokens * share }
  if (hangUp) return response.destroy()
  if (text !== undefined) return response.writeHead(status).end(text)
  if (status !== 200) return json(response, status, { error: { message: 'The target failed.', code: 'target_failed' } })
  return json(response, 200, {
    bbox,
    decision,
    reason: decision === 'fallback' ? 'no_box' : null,
    would_skip: script.wouldSkip ?? null,
    confidence: 0.5,
    answer,
    refusal,
    target: { usage: tokens(1) },
    compare: { answer: without, agrees: answer === without, usage: tokens(0.5) },
    timings_ms: { queue: 1, vision: 20, total: 40 },
  })
}

async function readForm(request: IncomingMessage): Promise<Record<string, string>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  const form = await new Response(Buffer.concat(chunks), { headers }).formData()
  return Object.fromEntries(
    [...form].map(([name, value]) => [name, typeof value === 'string' ? value : String(value.size)]),
  )
}

function json(response: ServerResponse, status: number, body: unknown): unknown {
  return response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
