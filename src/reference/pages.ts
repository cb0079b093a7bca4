/** The pages of docs/reference that hold generated parts. */
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { createService } from '../service.js'
import { apiReference, type Document } from './api.js'
import { configurationReference } from './configuration.js'
import { errorReference } from './errors.js'
import { withGenerated } from './markdown.js'

export interface Page {
  file: string
  /** The page's text brought up to date. @throws Error where it lacks the marks */
  write(text: string): string
}

export async function pages(): Promise<Page[]> {
  const api = await openapi()
  const of = (name: string, lines: readonly string[]): Page => ({
    file: fileURLToPath(new URL(`../../docs/reference/${name}.md`, import.meta.url)),
    write: text => withGenerated(text, lines),
  })
  return [of('configuration', configurationReference()), of('api', apiReference(api)), of('errors', errorReference())]
}

/** The document of a service with nothing configured. Its models are not waited for. */
async function openapi(): Promise<Document> {
  const service = await createService({ env: {}, log: pino({ level: 'silent' }) })
  try {
    const reply = await service.fetch('/openapi.json')
    return (await reply.json()) as Document
  } finally {
    await service.close()
  }
}
