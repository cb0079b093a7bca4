/** Reads files that a person names, whole: files whose end is known before they are read. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import { open } from 'node:fs/promises'

/** A file that is not read, with what is wrong with it as the end of a sentence. */
export class UnfitFile extends Error {
  override readonly name = 'UnfitFile'
  /** As Node's errors of files have one. */
  readonly code: 'EISDIR' | 'NOT_A_FILE' | 'TOO_LARGE'

  constructor(code: UnfitFile['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A pipe is opened without waiting for whoever writes to it. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)

/**
 * The bytes of a regular file; links to one are followed.
 * @throws UnfitFile it is a folder, a pipe or a device, or longer; and what Node throws of a file that cannot be opened
 */
export function readBoundedSync(path: string, maxBytes: number): Buffer {
  const file = openSync(path, FLAGS)
  try {
    const parts = new Parts(fstatSync(file), maxBytes)
    while (parts.add(readSync(file, parts.space)));
    return parts.all()
  } finally {
    closeSync(file)
  }
}

/** The same without blocking. */
export async function readBounded(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path, FLAGS)
  try {
    const parts = new Parts(await file.stat(), maxBytes)
    while (parts.add((await file.read(parts.space)).bytesRead));
    return parts.all()
  } finally {
    await file.close()
  }
}

/** What has been read of a file, up to a limit: it may grow meanwhile, and some of the system's own are said to be empty. */
class Parts {
  readonly space: Buffer
  readonly #maxBytes: number
  readonly #parts: Buffer[] = []
  #size = 0

  constructor(found: Stats, maxBytes: number) {
    if (found.isDirectory()) throw new UnfitFile('EISDIR', 'is a folder')
    if (!found.isFile()) throw new UnfitFile('NOT_A_FILE', 'is a pipe, a device or a socket, and no file')
    this.#maxBytes = maxBytes
    this.#check(found.size)
    this.space = Buffer.alloc(Math.min(Math.max(found.size, 4096), 1024 * 1024))
  }

  /** @returns whether there may be more */
  add(length: number): boolean {
    this.#size += length
    this.#check(this.#size)
    this.#parts.push(Buffer.from(this.space.subarray(0, length)))
    return length > 0
  }

  all(): Buffer {
    return Buffer.concat(this.#parts)
  }

  #check(size: number): void {
    if (size > this.#maxBytes) throw new UnfitFile('TOO_LARGE', `has more than ${this.#maxBytes} bytes`)
  }
}
