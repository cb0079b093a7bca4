/**
 * Reads a picture that a model names by its path. The model may have been told the path by a stranger's text, so that
 * nothing outside of the roots is opened, nor even found to exist.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, readlink, realpath, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { ToolError } from '../tool-error.js'
import { isWithin, type Root } from './roots.js'

export interface Reading {
  roots: readonly Root[]
  /** Relative paths begin here, where that is within the roots, else in a root. */
  cwd: string
  maxBytes: number
  signal: AbortSignal
}

/** What the kernel shows as files there are no files. */
const NO_FILES = process.platform === 'linux' ? ['/proc', '/sys', '/dev'] : []

/**
 * The bytes of a regular file within the roots.
 * @throws ToolError not within the roots, not found, not a file, too large, not to be read
 */
export async function readWithin(path: string, reading: Reading): Promise<Buffer> {
  const { roots, cwd } = reading
  if (roots.length === 0)
    throw new ToolError(
      'No folder may be read: those that the host names are not on this disk, or it names none and this server was started in the root of the file system. Start it with --root DIR, or send the picture as a data URL.',
    )
  if (path.includes('\0')) throw new ToolError('The path holds a null character; give the path of a picture.')
  const starts = [cwd, ...roots.map(({ real }) => real)]
  const named = path.startsWith('~/') ? join(homedir(), path.slice(2)) : path
  const places = isAbsolute(named) ? [resolve(named)] : starts.map(start => resolve(start, named))
  const allowed = places.filter(place =>
    roots.some(({ given, real }) => isWithin(given, place) || isWithin(real, place)),
  )
  if (allowed.length === 0) throw outside(path, roots)
  for (const place of allowed) {
    const real = await realpath(place).catch(error => missing(error, path))
    if (real !== null) return await readReal(real, path, reading)
  }
  throw new ToolError(
    `There is no file ${path}. Relative paths begin in ${[...new Set(starts)].join(', ')}; an absolute path is best.`,
  )
}

/** @param real A path without symbolic links, at least until a moment ago. */
async function readReal(real: string, path: string, { roots, maxBytes, signal }: Reading): Promise<Buffer> {
  if (!isAllowed(real, roots)) throw outside(path, roots)
  // looked at first, because to open a device can do something, and to open a pipe can take for ever
  checkKind(await lstat(real).catch(error => refused(error, path)), path)
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const file = await open(real, flags).catch(error => refused(error, path))
  try {
    // the path may lead elsewhere by now: what counts is the file that is open
    const { size } = checkKind(await file.stat(), path)
    if (!isAllowed(await placeOf(file, real), roots)) throw outside(path, roots)
    if (size === 0) throw new ToolError(`${path} is empty.`)
    if (size > maxBytes)
      throw new ToolError(
        `${path} has ${size} bytes; at most ${maxBytes} are read (MAX_BODY_BYTES). Make the picture smaller first.`,
      )
    return await readAll(file, size, signal)
  } finally {
    await file.close()
  }
}

/** No more than the size that was checked, even if the file grows. */
async function readAll(file: FileHandle, size: number, signal: AbortSignal): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  let length = 0
  while (length < size) {
    signal.throwIfAborted()
    const { bytesRead } = await file.read(bytes, length, Math.min(size - length, 1024 * 1024), length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return bytes.subarray(0, length)
}

/**
 * Where an open file is: Linux says it of the file itself. Elsewhere its path is looked up once more, and must lead to the
 * same file.
 * @param path By which it was opened.
 * @throws ToolError the path leads to another file by now
 */
export async function placeOf(file: FileHandle, path: string, platform = process.platform): Promise<string> {
  if (platform === 'linux') return await readlink(`/proc/self/fd/${file.fd}`)
  const real = await realpath(path)
  const [there, here] = await Promise.all([stat(real, { bigint: true }), file.stat({ bigint: true })])
  if (there.dev === here.dev && there.ino === here.ino) return real
  throw new ToolError(`${path} was replaced while it was read; try again.`)
}

function isAllowed(real: string, roots: readonly Root[]): boolean {
  return roots.some(root => isWithin(root.real, real)) && !NO_FILES.some(folder => isWithin(folder, real))
}

function checkKind<T extends { isFile(): boolean; isDirectory(): boolean }>(stats: T, path: string): T {
  if (stats.isFile()) return stats
  const what = stats.isDirectory() ? 'is a folder' : 'is a pipe, a device or a socket, and no file'
  throw new ToolError(`${path} ${what}; give the path of a picture (JPEG, PNG or WebP).`)
}

function outside(path: string, roots: readonly Root[]): ToolError {
  const folders = roots.map(({ given }) => given).join(', ')
  return new ToolError(
    `${path} is not within the folders that may be read (${folders}). Copy the picture into one of them, or start this server with --root for its folder.`,
  )
}

/** null where nothing is at the path. */
function missing(error: NodeJS.ErrnoException, path: string): null {
  if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(error.code ?? '')) return null
  return refused(error, path)
}

function refused({ code = 'unknown error' }: NodeJS.ErrnoException, path: string): never {
  if (code === 'ENOENT' || code === 'ELOOP')
    throw new ToolError(`${path} leads to no file (${code}); try another path.`)
  throw new ToolError(`${path} cannot be read (${code}): check that this server may read it.`)
}
