/** Reads what a report is made of. */
import { collectFile } from '../collect.js'
import { CliError, EXIT } from '../command.js'
import type { Report } from '../eval/report.js'
import type { Source } from './case.js'
import { readBatch } from './read-batch.js'
import { readEval } from './read-eval.js'

/** As long as a text can be. */
const MAX_BYTES = 512 * 1024 * 1024

/**
 * @param file The JSON of an evaluation, or the JSONL of a batch.
 * @param data Where its images are, if that is not where the file says.
 * @throws CliError notFound, usage
 */
export async function readSource(file: string, data: string | null): Promise<Source> {
  const bytes = await collectFile(file, file, MAX_BYTES).catch(error => {
    if (error instanceof CliError) throw error
    throw new CliError(EXIT.notFound, `${file} cannot be read: ${(error as Error).message}`)
  })
  const text = bytes.toString()
  const report = parsed(text)
  const source = isReport(report) ? await readEval(report, data) : readBatch(file, text, data)
  if (source.cases.length === 0) throw new CliError(EXIT.usage, `${file} has no pages.`)
  return source
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // JSONL of more than one line
    return null
  }
}

function isReport(value: unknown): value is Report {
  const { format, pages, data, info, options } = (value ?? {}) as Partial<Report>
  return format === 1 && Array.isArray(pages) && typeof data === 'string' && Boolean(info) && Boolean(options)
}
