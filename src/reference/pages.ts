/** The pages of docs/ that hold generated parts. */
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { COMMANDS } from '../cli/commands/commands.js'
import { createService } from '../service.js'
import { apiReference, type Document } from './api.js'
import { commandsReference } from './commands.js'
import { configurationReference } from './configuration.js'
import { errorReference } from './errors.js'
import { withGenerated } from './markdown.js'
import { metricsReference } from './metrics.js'

export interface Page {
  file: string
  /** The page's text brought up to date. @throws Error where it lacks the marks */
  write(text: string): string
}

export async function pages(): Promise<Page[]> {
  const [api = '', metrics = ''] = await texts(['/openapi.json', '/metrics'])
  const of = (name: string, lines: readonly string[]): Page => ({
    file: fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)),
    write: text => withGenerated(text, lines),
  })
  return [
    of('reference/configuration', configurationReference()),
    of('reference/api', apiReference(JSON.parse(api) as Document)),
    of('reference/commands', commandsReference(COMMANDS)),
    of('reference/errors', errorReference()),
    of('operate/observe', metricsReference(metrics)),
  ]
}

/** What a service with nothing configured answers at these paths. Its models are not waited for. */
async function texts(paths: readonly string[]): Promise<string[]> {
  const service = await createService({ env: {}, log: pino({ level: 'silent' }) })
  try {
    return await Promise.all(paths.map(async path => (await service.fetch(path)).text()))
  } finally {
    await service.close()
  }
}
