/** The output of a batch: a file that one run after the other adds to, or stdout. */
import { type FileHandle, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Writable } from 'node:stream'
import { CliError, EXIT } from '../../command.js'
import type { World } from '../../spec.js'
import { Appender } from './appender.js'
import { DoneRows } from './done-rows.js'
import { FORMATS, type Format, type FormatName } from './formats.js'
import { lock } from './lock.js'
import type { OutputRecord } from './record.js'
import { scan } from './scan.js'

export interface Output {
  /** The rows that it has already. */
  done: DoneRows
  /** How many of those have a result, and how many an error. */
  before: { answered: number; failed: number }
  /** Resolves once the record is written. @throws CliError failed: the disk is full, or the reader of stdout has gone */
  write(record: OutputRecord): Promise<void>
  close(): Promise<void>
}

export interface OutputOptions {
  format: FormatName
  /** The hash of the options, which all rows of an output share. */
  run: string
  /** Takes the rows with an error out, so that they are asked again. */
  retryErrors: boolean
}

export function stdoutOutput(format: FormatName, stdout: World['stdout']): Output {
  const { header, write } = FORMATS[format]
  const appender = new Appender(text => toStream(stdout, text))
  let start = header
  return {
    done: new DoneRows(),
    before: { answered: 0, failed: 0 },
    write(record) {
      const text = start + write(record)
      start = ''
      return appender.append(text)
    },
    close: async () => {},
  }
}

/**
 * Opens a file, new or left by an earlier run, whose last record is dropped if it is not whole.
 * @throws CliError usage: the file is something else; failed: another run writes to it, or it cannot be written
 */
export async function fileOutput(path: string, options: OutputOptions): Promise<Output> {
  const file = await withoutLinks(path)
  const held = await lock(file)
  try {
    return await opened(file, options, () => held.release())
  } catch (error) {
    await held.release()
    throw error
  }
}

async function opened(file: string, options: OutputOptions, release: () => Promise<void>): Promise<Output> {
  const { run, retryErrors } = options
  const format = FORMATS[options.format]
  const found = await stat(file).catch(() => null)
  if (found !== null && !found.isFile())
    throw new CliError(EXIT.usage, `${file} is no file; leave --out away to write to stdout.`)
  const isThere = found !== null && found.size > 0
  let { done, answered, failed, end } = { done: new DoneRows(), answered: 0, failed: 0, end: 0 }
  if (isThere) ({ done, answered, failed, end } = await scan(file, format, run, !retryErrors))
  if (retryErrors && failed > 0) {
    end = await withoutErrors(file, format, run)
    failed = 0
  }
  const handle = await openForAppending(file)
  await handle.truncate(end)
  const appender = new Appender(text => toFile(handle, file, text))
  if (end === 0 && format.header !== '') await appender.append(format.header)
  return {
    done,
    before: { answered, failed },
    write: record => appender.append(format.write(record)),
    async close() {
      await handle.close()
      await release()
    },
  }
}

/** Replaces the file, at once, by one without the rows that have an error. @returns its size */
async function withoutErrors(file: string, format: Format, run: string): Promise<number> {
  const copy = `${file}.${process.pid}.part`
  const handle = await open(copy, 'w')
  let size = 0
  try {
    await scan(file, format, run, false, async record => {
      await toFile(handle, copy, Buffer.concat([record, Buffer.from('\n')]))
      size += record.length + 1
    })
    await handle.sync()
    await handle.close()
    await rename(copy, file)
  } catch (error) {
    await rm(copy, { force: true })
    throw error
  }
  return size
}

async function openForAppending(file: string): Promise<FileHandle> {
  try {
    return await open(file, 'a')
  } catch (error) {
    throw new CliError(EXIT.failed, `${file} cannot be written: ${(error as Error).message}`, error)
  }
}

async function toFile(handle: FileHandle, file: string, bytes: string | Buffer): Promise<void> {
  try {
    await handle.appendFile(bytes)
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `${file} cannot be written: ${(error as Error).message}. Repeat the command once it can: it goes on where this run ends.`,
      error,
    )
  }
}

/** Waits until a stream has taken the text; what is no stream takes it at once. */
async function toStream(stdout: World['stdout'], text: string): Promise<void> {
  if (!(stdout instanceof Writable)) {
    stdout.write(text)
    return
  }
  await new Promise<void>((done, fail) => {
    const failed = (error: Error) =>
      fail(new CliError(EXIT.failed, `stdout cannot be written: ${error.message}`, error))
    stdout.once('error', failed)
    stdout.write(text, error => {
      // an error is told by its event, which follows
      if (error) return
      stdout.off('error', failed)
      done()
    })
  })
}

/** Two names of one file are one output. */
async function withoutLinks(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return await realpath(absolute)
  } catch {
    const folder = await realpath(dirname(absolute)).catch(() => {
      throw new CliError(EXIT.usage, `The folder of ${path} is not there; make it first.`)
    })
    return join(folder, basename(absolute))
  }
}
