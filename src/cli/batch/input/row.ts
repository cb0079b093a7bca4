/** A row of a batch: one question about one picture. */
import { createHash } from 'node:crypto'

export interface Row {
  /** Its place in the input, from 0. */
  index: number
  /** 8 bytes of the SHA-256 of the row as it stands in the input; never 0. */
  hash: bigint
  /** The share of the input that ends with this row, 0..1; null where the input's size is not known. */
  share: number | null
  content: RowContent | RowProblem
}

export interface RowContent {
  id: string | number | null
  /** The image as the row names it; null where the row holds the picture itself. */
  imageName: string | null
  image: RowImage
  question: string
  /** Options of the route that the row has of its own. */
  options: Readonly<Record<string, unknown>>
  /** All other keys of the row, and the options, which are copied to the output. */
  copied: Readonly<Record<string, unknown>>
}

/** A file of this machine; or a text that the service reads: a data URL, or a link. */
export type RowImage = { path: string } | { text: string }

/** A row that cannot be asked. */
export interface RowProblem {
  id: string | number | null
  code: 'invalid_row'
  message: string
}

export function isProblem(content: RowContent | RowProblem): content is RowProblem {
  return 'code' in content
}

export function hashRow(...parts: readonly (string | Buffer)[]): bigint {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('\0')
  return hash.digest().readBigUInt64BE() || 1n
}
