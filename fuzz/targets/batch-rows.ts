/** The rows of a batch: what its lines say is read, and a record that is written is recognised again. */
import assert from 'node:assert/strict'
import { jsonlRows } from '../../src/cli/batch/input/jsonl.js'
import { isProblem, type Row } from '../../src/cli/batch/input/row.js'
import { FORMATS } from '../../src/cli/batch/output/formats.js'
import { startOf } from '../../src/cli/batch/output/record.js'
import { type RawRecord, records } from '../../src/cli/batch/records.js'
import { choices, type Target } from '../target.js'

const SETTINGS = { images: '/images', question: null, optionNames: ['resolution', 'expand'] }
const RUN = '0123abcd'

const WORDS = ['"id"', '"image"', '"question"', '"expand"', '""', '\ufeff', 'data:']

export const target: Target = {
  isSync: false,
  maxLength: 8192,
  maxMs: 300,
  words: WORDS,
  async run(input) {
    const { numbers, rest } = choices(input, 1)
    const size = 1 + (numbers[0] ?? 0)
    for (const quoted of [false, true]) await checkRecords(rest, size, quoted)
    const rows = await all(jsonlRows(pieces(rest, size), rest.length, SETTINGS, 'the input'))
    for (const [i, row] of rows.entries()) {
      assert.equal(row.index, i)
      assert.ok(row.share !== null && row.share >= 0 && row.share <= 1)
      if (!isProblem(row.content)) assert.notEqual(row.content.question.trim(), '')
      checkWritten(row)
    }
  },
}

/** The records with their line feeds are the stream. */
async function checkRecords(bytes: Buffer, size: number, quoted: boolean): Promise<void> {
  const found = await all<RawRecord>(records(pieces(bytes, size), 'the input', quoted))
  const joined = Buffer.concat(found.flatMap(one => [one.bytes, Buffer.from(one.whole ? '\n' : '')]))
  assert.ok(joined.equals(bytes), 'the records are not the stream')
  assert.equal(found.at(-1)?.end ?? 0, bytes.length)
}

function checkWritten(row: Row): void {
  const error = isProblem(row.content) ? { code: row.content.code, message: row.content.message, status: null } : null
  for (const { write, start } of Object.values(FORMATS)) {
    const written = write({ ...startOf(row, RUN), error })
    const [, hash, run, index, failed] = start.exec(written) ?? []
    assert.deepEqual([BigInt(`0x${hash}`), run, Number(index)], [row.hash, RUN, row.index])
    assert.equal(failed !== '' && failed !== 'null', error !== null)
  }
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const row of rows) found.push(row)
  return found
}
