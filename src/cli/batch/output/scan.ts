/** Reads an output that an earlier run has left. */
import { createReadStream } from 'node:fs'
import { CliError, EXIT } from '../../command.js'
import { type RawRecord, records } from '../records.js'
import { DoneRows, MAX_ROWS } from './done-rows.js'
import type { Format } from './formats.js'

export interface Scan {
  done: DoneRows
  /** Rows of the file with a result. */
  answered: number
  /** Rows of the file with an error. */
  failed: number
  /** Offset behind the last whole record. What follows was being written when the earlier run ended. */
  end: number
}

/**
 * @param run The hash of the options.
 * @param keep Whether rows with an error count as done.
 * @param each Is given each whole record that counts, and the header.
 * @throws CliError usage: the file is no output of this command, or was written with other options
 */
export async function scan(
  file: string,
  format: Format,
  run: string,
  keep: boolean,
  each: (record: Buffer) => Promise<unknown> | null = () => null,
): Promise<Scan> {
  const result: Scan = { done: new DoneRows(), answered: 0, failed: 0, end: 0 }
  let number = 0
  for await (const record of records(createReadStream(file), file, format.quoted)) {
    number++
    if (!record.whole) {
      if (!isTorn(record, format, number === 1)) throw notOurs(file, number)
      if (holdsOthers(record, format))
        throw new CliError(
          EXIT.usage,
          `A quote of record ${number} of ${file} is not closed, and more records follow. Mend that, or give another --out.`,
        )
      break
    }
    result.end = record.end
    if (number === 1 && format.header !== '') {
      if (`${record.bytes.toString('latin1')}\n` !== format.header) throw notOurs(file, number)
      await each(record.bytes)
      continue
    }
    const [, hash, ofRun, index, error] = format.start.exec(record.bytes.toString('latin1', 0, 200)) ?? []
    if (hash === undefined || Number(index) >= MAX_ROWS) throw notOurs(file, number)
    if (ofRun !== run)
      throw new CliError(
        EXIT.usage,
        `${file} was written with another route, question or other options. Give the same ones to go on with it, or another --out.`,
      )
    const isFailed = error !== '' && error !== 'null'
    if (isFailed) result.failed++
    else result.answered++
    if (isFailed && !keep) continue
    result.done.add(Number(index), BigInt(`0x${hash}`))
    await each(record.bytes)
  }
  return result
}

/** Whether bytes behind the last whole record can be the start of one. After a crash of the machine they may be zeros. */
function isTorn({ bytes }: RawRecord, { header, begins }: Format, isFirst: boolean): boolean {
  const text = bytes.toString('latin1', 0, 200).replace(/\0+$/, '')
  return isFirst && header !== '' ? header.startsWith(text) : begins(text)
}

/** Whether what looks like one record is several: then a quote was lost, and they would be lost with it. */
function holdsOthers({ bytes }: RawRecord, { quoted, start }: Format): boolean {
  if (!quoted) return false
  for (let at = bytes.indexOf('\r\n'); at !== -1; at = bytes.indexOf('\r\n', at + 2))
    if (start.test(bytes.toString('latin1', at + 2, at + 202))) return true
  return false
}

function notOurs(file: string, number: number): CliError {
  return new CliError(
    EXIT.usage,
    `${file} is there already, and its record ${number} is not one of \`cropvlm batch\` in this format. Give another --out.`,
  )
}
