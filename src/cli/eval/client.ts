/** Asks a service about one page over its HTTP API. */
import { basename } from 'node:path'
import type { Outcome, Page, Reply } from '../../evaluation/outcome.js'
import { collectFile, MAX_IMAGE_BYTES } from '../collect.js'
import { CliError, EXIT } from '../command.js'
import type { Connection } from '../connect.js'

/** How pages are asked about. */
export interface Asking {
  /** To the service; addresses are paths. */
  send: Connection['send']
  /** Text fields of `/answer`: target, resolution, expand. */
  fields: Readonly<Record<string, string>>
  /** Milliseconds one request may take. */
  timeoutMs: number
  /** Ends the requests. */
  signal: AbortSignal
}

/** Asks `/answer` with `compare`. It never throws: whatever goes wrong is told in the outcome. */
export async function askPage(page: Page, asking: Asking): Promise<Outcome> {
  try {
    const form = new FormData()
    form.set('question', page.question)
    form.set('compare', 'true')
    for (const [name, value] of Object.entries(asking.fields)) form.set(name, value)
    form.set('image', new Blob([await collectFile(page.image, page.image, MAX_IMAGE_BYTES)]), basename(page.image))
    const start = performance.now()
    const response = await asking.send('/answer', { method: 'POST', body: form, signal: limit(asking) })
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
 * @param url The service's address, for messages.
 * @throws CliError failed, notAllowed
 */
export async function readInfo(asking: Asking, url: string): Promise<Record<string, unknown>> {
  const failed = (why: string) => new CliError(EXIT.failed, `No service answers at ${url}/info: ${why}`)
  const response = await asking.send('/info', { signal: limit(asking) }).catch(error => {
    throw failed(reason(error))
  })
  if (response.status === 401) throw new CliError(EXIT.notAllowed, `${url} asks for a key; set API_KEY to it.`)
  if (!response.ok) throw failed(`status ${response.status}.`)
  return (await response.json()) as Record<string, unknown>
}

function limit({ timeoutMs, signal }: Asking): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
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
