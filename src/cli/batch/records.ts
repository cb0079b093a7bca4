/** Cuts a stream of bytes into records that end with a line feed, holding no more than one record and one chunk. */
import { CliError, EXIT } from '../command.js'

export interface RawRecord {
  /** Without its line feed. */
  bytes: Buffer
  /** Offset in the stream behind the record's line feed. */
  end: number
  /** False for what stands behind the last line feed. */
  whole: boolean
}

const LINE_FEED = 0x0a
const QUOTE = 0x22
/** A longer record is taken for a mistake, such as an image in place of a list. */
const MAX_BYTES = 128 * 1024 * 1024

/**
 * @param what Names the stream in the message.
 * @param quoted Whether a line feed between double quotes belongs to the record, as in CSV.
 * @throws CliError usage: a record is longer than 128 MiB
 */
export async function* records(chunks: AsyncIterable<Buffer>, what: string, quoted = false): AsyncGenerator<RawRecord> {
  let parts: Buffer[] = []
  let size = 0
  let end = 0
  let inQuotes = false
  let count = 0
  const take = (piece: Buffer) => {
    parts.push(piece)
    size += piece.length
    if (size > MAX_BYTES)
      throw new CliError(
        EXIT.usage,
        `Record ${count + 1} of ${what} is longer than ${MAX_BYTES / 2 ** 20} MiB. ${inQuotes ? 'One of its quotes may not be closed; mend it' : 'Write one row a line, and large images as paths'}.`,
      )
    if (quoted) inQuotes = inQuotes !== isOdd(countQuotes(piece))
  }
  for await (const chunk of chunks) {
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, from)) {
      take(chunk.subarray(from, at))
      from = at + 1
      if (inQuotes) {
        take(chunk.subarray(at, from))
        continue
      }
      end += size + 1
      count++
      yield { bytes: Buffer.concat(parts), end, whole: true }
      parts = []
      size = 0
    }
    if (from < chunk.length) take(chunk.subarray(from))
  }
  if (size > 0) yield { bytes: Buffer.concat(parts), end: end + size, whole: false }
}

function countQuotes(piece: Buffer): number {
  let count = 0
  for (let at = piece.indexOf(QUOTE); at !== -1; at = piece.indexOf(QUOTE, at + 1)) count++
  return count
}

function isOdd(count: number): boolean {
  return count % 2 === 1
}
