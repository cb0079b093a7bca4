/** Asks all rows of an input that the output does not have yet, a bounded number at a time. */
import { type AskOptions, askRow } from './asking/ask-row.js'
import { Stopped } from './asking/retrying.js'
import type { Row } from './input/row.js'
import type { Output } from './output/open-output.js'
import type { Progress } from './progress.js'

export interface Counts {
  /** Rows that an earlier run has done. */
  skipped: number
  answered: number
  /** Rows of this run that have an error, by its code. */
  errors: Map<string, number>
}

/**
 * No more than `concurrency` rows are in memory, whatever the input's length. When the signal is aborted, or when a row
 * cannot be asked, no further row is begun, and those in flight are finished and written.
 * @param rows Are given up at the end.
 * @throws ServiceLost, CliError: the first of the failures that ended the run
 */
export async function runBatch(
  rows: AsyncGenerator<Row>,
  output: Output,
  options: AskOptions,
  { concurrency, stop, progress }: { concurrency: number; stop: AbortController; progress: Progress },
): Promise<Counts> {
  const counts: Counts = { skipped: 0, answered: 0, errors: new Map() }
  const { signal } = stop
  let failure: unknown = null
  const work = async () => {
    for (;;) {
      const next = await rows.next()
      // the end of a stream that was cut off is no row
      if (next.done || signal.aborted) return
      const row = next.value
      if (output.done.claim(row.index, row.hash)) {
        counts.skipped++
        continue
      }
      const record = await askRow(row, options)
      await output.write(record)
      if (record.error === null) counts.answered++
      else counts.errors.set(record.error.code, (counts.errors.get(record.error.code) ?? 0) + 1)
      progress.at(row.share, record.error !== null)
    }
  }
  const guarded = () =>
    work().catch(error => {
      if (!(error instanceof Stopped)) failure ??= error
      stop.abort(error)
    })
  await Promise.all(Array.from({ length: concurrency }, guarded))
  await rows.return(undefined)
  if (failure !== null) throw failure
  return counts
}
