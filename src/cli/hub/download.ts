/**
 * Downloads one file: a transfer that broke off is continued, the checksum is checked, and only then does the file get
 * its name. Written by hand because @huggingface/hub 2.17 can neither continue a download nor check one.
 */
import type { Hash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliError, EXIT } from '../command.js'
import { addFile, sizeOf, startChecksum } from './checksum.js'
import type { HubFile } from './select.js'

/**
 * Opens the file's bytes from an offset on.
 * @throws CliError failed, notFound, notAllowed: trying again cannot help
 */
export type OpenAt = (file: HubFile, start: number, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>

export interface DownloadOptions {
  openAt: OpenAt
  /** Called after each chunk with the number of bytes of this file that are on disk. */
  onProgress(bytes: number): void
  /** Called before each new try with the reason for it. */
  onRetry(reason: string): void
  /** How many tries in a row may bring next to nothing before the download fails. */
  tries: number
  /** Milliseconds before the second try. Each further try waits twice as long, 30 s at most. */
  backoffMs: number
  /** Milliseconds in which a connection has to bring `LEAST_BYTES`, or what is left of the file, else it counts as dead. */
  stallMs: number
}

/** About a modem's speed, with a stall of a minute. */
const LEAST_BYTES = 64 * 1024

/** Errors of a disk that does not take what is written: another try would find it the same. */
const NO_ROOM: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: "the disk's quota is used up",
  EFBIG: 'it is longer than a file may be there',
  EROFS: 'the disk cannot be written',
  EIO: 'the disk has an error',
}

/**
 * Downloads to `<target>.part`, checks it and renames it. A `.part` file of an earlier run is continued.
 * @throws CliError failed, notFound, notAllowed
 */
export async function download(file: HubFile, target: string, options: DownloadOptions): Promise<void> {
  const part = `${target}.part`
  await mkdir(dirname(target), { recursive: true })
  if ((await sizeOf(part)) > file.size) await rm(part)
  const resumed = (await sizeOf(part)) > 0
  let found = await fetchAll(file, part, options)
  if (found !== file.checksum.hex && resumed) {
    // the old part may be of another version of the file: once more, from the start
    options.onRetry(`${file.path}: the part from an earlier run does not fit; starting over`)
    await rm(part)
    found = await fetchAll(file, part, options)
  }
  if (found !== file.checksum.hex) {
    await rm(part)
    throw new CliError(
      EXIT.failed,
      `${file.path} arrived damaged: its ${file.checksum.kind} is ${found}, the hub lists ${file.checksum.hex}. Try again; if it stays so, do not use this source.`,
    )
  }
  await rename(part, target)
}

/**
 * Fetches the bytes that are missing, with new tries when the connection breaks.
 * @returns the checksum of the whole file
 */
async function fetchAll(file: HubFile, part: string, options: DownloadOptions): Promise<string> {
  const handle = await open(part, 'a')
  try {
    const hash = await addFile(startChecksum(file), part)
    let have = await sizeOf(part)
    let idle = 0
    while (have < file.size) {
      const before = have
      const problem = await fetchSome(file, have, handle, hash, options).then(
        bytes => {
          have = bytes
          return have < file.size ? 'the connection closed early' : null
        },
        (failure: Broken) => {
          have = failure.have
          if (failure.cause instanceof CliError) throw failure.cause
          return describe(failure.cause)
        },
      )
      if (problem === null) break
      idle = have - before >= LEAST_BYTES ? 1 : idle + 1
      if (idle >= options.tries)
        throw new CliError(
          EXIT.failed,
          `${file.path} broke off at ${have} of ${file.size} bytes (${problem}). Run the same command again: it goes on from there.`,
        )
      const wait = Math.min(options.backoffMs * 2 ** (idle - 1), 30_000)
      options.onRetry(`${file.path}: ${problem} at ${have} of ${file.size} bytes; trying again`)
      await sleep(wait)
    }
    await handle.sync()
    return hash.digest('hex')
  } finally {
    await handle.close()
  }
}

/** A try failed. `have` is the size of the file on disk at that moment. */
class Broken extends Error {
  readonly have: number
  constructor(have: number, cause: unknown) {
    super('broken off', { cause })
    this.have = have
  }
}

/**
 * Makes one try.
 * @returns the size of the file on disk afterwards
 * @throws Broken
 */
async function fetchSome(
  file: HubFile,
  start: number,
  handle: FileHandle,
  hash: Hash,
  { openAt, onProgress, stallMs }: DownloadOptions,
): Promise<number> {
  const abort = new AbortController()
  let have = start
  let seen = start
  const watchdog = setInterval(() => {
    if (have - seen < LEAST_BYTES) abort.abort(new Error(`${have - seen} bytes in ${stallMs / 1000} s`))
    seen = have
  }, stallMs)
  try {
    for await (const chunk of await openAt(file, start, abort.signal)) {
      if (have + chunk.length > file.size)
        throw new CliError(EXIT.failed, `${file.path} is longer than the ${file.size} bytes the hub lists.`)
      await append(handle, chunk, file)
      hash.update(chunk)
      have += chunk.length
      onProgress(have)
    }
    return have
  } catch (cause) {
    throw new Broken(have, abort.signal.aborted && !(cause instanceof CliError) ? abort.signal.reason : cause)
  } finally {
    clearInterval(watchdog)
    // whatever of a reply has not been read is not waited for
    abort.abort()
  }
}

/** @throws CliError failed: the disk does not take it; what it has taken is the beginning of the chunk */
async function append(handle: FileHandle, chunk: Uint8Array, { path, size }: HubFile): Promise<void> {
  try {
    await handle.appendFile(chunk)
  } catch (error) {
    const reason = NO_ROOM[(error as NodeJS.ErrnoException).code ?? '']
    if (reason === undefined) throw error
    throw new CliError(
      EXIT.failed,
      `${path} (${size} bytes) cannot be written: ${reason}. Make room, or name another folder with --out, and run the same command again: it goes on from there.`,
      error,
    )
  }
}

/** The error's message and that of its cause, where `fetch` puts the actual reason (such as ECONNRESET). */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
