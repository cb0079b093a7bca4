/** Makes a report and writes it. */
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CliError, EXIT } from '../command.js'
import { page } from './page.js'
import { makePictures } from './pictures.js'
import { readSource } from './read.js'

export interface Written {
  pages: number
  bytes: number
  /** Cases whose picture could not be shown, of those with one. */
  without: number
}

/**
 * @param file What the report is made of.
 * @param out The page; it appears as a whole.
 * @param data Where the images are; null: where the file says.
 * @throws CliError
 */
export async function writeReport(
  file: string,
  out: string,
  { maxRows, data, signal }: { maxRows: number; data: string | null; signal: AbortSignal },
): Promise<Written> {
  const source = await readSource(file, data)
  let without = 0
  const picturesOf: Parameters<typeof page>[1]['picturesOf'] = async ({ image, box }) => {
    if (image === null) return 'the data names no file'
    const pictures = await makePictures(image, box)
    if (typeof pictures === 'string') without++
    return pictures
  }
  const part = `${out}.${process.pid}.part`
  try {
    const pieces = page(source, { name: basename(file), maxRows, picturesOf })
    await pipeline(Readable.from(pieces), createWriteStream(part), { signal })
    await rename(part, out)
  } catch (error) {
    await rm(part, { force: true })
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined || signal.aborted) throw error
    throw new CliError(EXIT.failed, `${out} cannot be written: ${message}`, error)
  }
  return { pages: source.cases.length, bytes: (await stat(out)).size, without }
}
