/** Asks a service about one page over its HTTP API. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Outcome, Page, Reply } from '../../evaluation/outcome.js'
import { CliError, EXIT } from '../command.js'

/** The service to ask, and the options that each request carries. */
export interface Service {
  url: string
  apiKey: string | null
  /** Text fields of `/answer`: target, resolution, expand. */
  options: Readonly<Record<string, string>>
  /** Milliseconds one request may take. */
  timeoutMs: number
}

/** Asks `/answer` with `compare`. It never throws: whatever goes wrong is told in the outcome. */
export async function askPage(page: Page, service: Service): Promise<Outcome> {
  try {
    const form = new FormData()
    form.set('question', page.question)
    form.set('compare', 'true')
    for (const [name, value] of Object.entries(service.options)) form.set(name, value)
    form.set('image', new Blob([await readFile(page.image)]), basename(page.image))
    const start = performance.now()
    const response = await send(service, '/answer', { method: 'POST', body: form })
    const text = await response.text()
    const latencyMs = performance.now() - start
    if (!response.ok) return { page, status: response.status, error: text.slice(0, 500) }
    const reply: unknown = JSON.parse(text)
    if (isReply(reply)) return { page, reply, latencyMs }
    return { page, status: response.status, error: `not a reply of /answer with compare: ${text.slice(0, 300)}` }
  } catch (error) {
    return { page, status: null, error: reason(error) }
  }
}

/**
 * Reads `/info`, which the report keeps as the record of what was measured.
 * @throws CliError failed, notAllowed
 */
export async function readInfo(service: Service): Promise<Record<string, unknown>> {
  const failed = (why: string) => new CliError(EXIT.failed, `No service answers at ${service.url}/info: ${why}`)
  const response = await send(service, '/info').catch(error => {
    throw failed(reason(error))
  })
  if (response.status === 401) throw new CliError(EXIT.notAllowed, `${service.url} asks for a key; set API_KEY to it.`)
  if (!response.ok) throw failed(`status ${response.status}.`)
  return (await response.json()) as Record<string, unknown>
}

function send({ url, apiKey, timeoutMs }: Service, path: string, init: RequestInit = {}): Promise<Response> {
  const headers: Record<string, string> = apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }
  return fetch(`${url}${path}`, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) })
}

function isReply(value: unknown): value is Reply {
  const { bbox, answer, compare, timings_ms, decision } = (value ?? {}) as Partial<Reply>
  return (
    Array.isArray(bbox) &&
    bbox.length === 4 &&
    bbox.every(number => typeof number === 'number') &&
    typeof answer === 'string' &&
    typeof compare?.answer === 'string' &&
    typeof decision === 'string' &&
    typeof timings_ms === 'object'
  )
}

function reason(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
