/** How records of the output are written, and recognised again. */
import { stringify } from 'csv-stringify/sync'
import type { OutputRecord } from './record.js'

export interface Format {
  /** The first record of a file, with its line end; empty where there is none. */
  header: string
  /** A record with its line end. */
  write(record: OutputRecord): string
  /** Matches the start of a record: the two parts of its key, its index, and what is wrong, empty or null where nothing is. */
  start: RegExp
  /** Whether a text that may be shorter than that is the start of a record. */
  begins(text: string): boolean
  /** Whether a record may hold line feeds between quotes. */
  quoted: boolean
}

const JSONL_START = '{"key":"'

const jsonl: Format = {
  header: '',
  write({ key, index, error, id, image, question, copied, ...result }) {
    const own = { key, index, error, id, image, question, ...result }
    const others = Object.entries(copied).map(([name, value]) => [RESERVED.has(name) ? `input_${name}` : name, value])
    return `${JSON.stringify({ ...own, ...Object.fromEntries(others) })}\n`
  },
  start: /^\{"key":"([0-9a-f]{16})-([0-9a-f]{8})","index":(\d{1,8}),"error":(null|\{)/,
  begins: text => text.startsWith(JSONL_START) || JSONL_START.startsWith(text),
  quoted: false,
}

type Cell = string | number | boolean | null | undefined

/** The columns of a CSV output. The first three are never quoted, which `start` relies on. */
export const COLUMNS: Readonly<Record<string, (record: OutputRecord) => Cell>> = {
  key: ({ key }) => key,
  index: ({ index }) => index,
  error: ({ error }) => error?.code,
  error_message: ({ error }) => error?.message,
  id: ({ id }) => id,
  image: ({ image }) => image,
  question: ({ question }) => question,
  x1: ({ bbox }) => bbox?.[0],
  y1: ({ bbox }) => bbox?.[1],
  x2: ({ bbox }) => bbox?.[2],
  y2: ({ bbox }) => bbox?.[3],
  left: ({ bbox_pixels }) => bbox_pixels?.[0],
  top: ({ bbox_pixels }) => bbox_pixels?.[1],
  right: ({ bbox_pixels }) => bbox_pixels?.[2],
  bottom: ({ bbox_pixels }) => bbox_pixels?.[3],
  image_width: ({ image_width }) => image_width,
  image_height: ({ image_height }) => image_height,
  decision: ({ decision }) => decision,
  reason: ({ reason }) => reason,
  would_skip: ({ would_skip }) => would_skip,
  confidence: ({ confidence }) => confidence,
  raw: ({ raw }) => raw,
  model: ({ model }) => model,
  crop: ({ crop }) => crop,
  answer: ({ answer }) => answer,
  finish_reason: ({ finish_reason }) => finish_reason,
  refusal: ({ refusal }) => refusal,
  target: ({ target }) => target,
  prompt_tokens: ({ usage }) => usage?.prompt_tokens,
  completion_tokens: ({ usage }) => usage?.completion_tokens,
  answer_without_crop: ({ compare }) => compare?.answer,
  agrees: ({ compare }) => compare && String(compare.agrees),
  latency_ms: ({ latency_ms }) => latency_ms,
  copied: ({ copied }) => (Object.keys(copied).length > 0 ? JSON.stringify(copied) : null),
}

const csv: Format = {
  header: csvLine(Object.keys(COLUMNS)),
  write: record => csvLine(Object.values(COLUMNS).map(cell => cell(record) ?? '')),
  start: /^([0-9a-f]{16})-([0-9a-f]{8}),(\d{1,8}),([a-z_]*),/,
  begins: text => /^[0-9a-f]{0,16}(-|$)/.test(text),
  quoted: true,
}

export const FORMATS = { jsonl, csv }
export type FormatName = keyof typeof FORMATS

/** RFC 4180: CR LF at the end, quotes where they are needed. */
function csvLine(cells: readonly Cell[]): string {
  return stringify([[...cells]], { record_delimiter: 'windows' })
}

/** Keys of the output that a row's own keys of the same name give way to. */
const RESERVED: ReadonlySet<string> = new Set([
  'key',
  'index',
  'error',
  'bbox',
  'bbox_pixels',
  'image_width',
  'image_height',
  'decision',
  'reason',
  'would_skip',
  'confidence',
  'raw',
  'model',
  'crop',
  'answer',
  'finish_reason',
  'refusal',
  'target',
  'usage',
  'compare',
  'latency_ms',
])
