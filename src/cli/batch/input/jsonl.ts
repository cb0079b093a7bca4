/** The rows of a JSONL stream. */
import { records } from '../records.js'
import { parseRow, type RowSettings } from './parse-row.js'
import { hashRow, type Row } from './row.js'

const BYTE_ORDER_MARK = /^\uFEFF/

/**
 * Reads as fast as rows are taken. Blank lines are no rows.
 * @param what Names the stream in messages.
 * @param size Of the whole stream in bytes; null where it is not known.
 */
export async function* jsonlRows(
  chunks: AsyncIterable<Buffer>,
  size: number | null,
  settings: RowSettings,
  what: string,
): AsyncGenerator<Row> {
  let index = 0
  for await (const { bytes, end } of records(chunks, what)) {
    const line = bytes.toString('utf8').replace(BYTE_ORDER_MARK, '').trim()
    if (line === '') continue
    const share = size === null ? null : Math.min(1, end / Math.max(1, size))
    yield { index, hash: hashRow(line), share, content: parseRow(line, settings) }
    index++
  }
}
