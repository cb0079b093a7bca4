import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'

/** What one reading of a whole file tells. */
interface Digest {
  /** Lower-case hex. */
  sha256: string
  /** Names of the files that an ONNX graph keeps its weights in; empty if it has none, or is no graph. */
  locations: readonly string[]
}

/**
 * How an entry of a tensor's `external_data` begins in protobuf's encoding: the key "location" (field 1, 8 bytes), then
 * the tag of the value (field 2). Searching for these bytes needs no parsed graph, which may be gigabytes large.
 */
const LOCATION = Buffer.from('\x0a\x08location\x12', 'latin1')
/** A name's length stands before it, in one byte up to this. Longer names are not found. */
const MAX_NAME = 127
const OVERLAP = LOCATION.length + 1 + MAX_NAME
const PIECE = 2 ** 18

/**
 * By path, size, time and inode. A model's files are wanted twice: to check them, and to look up their optimised form.
 */
const known = new Map<string, Promise<Digest>>()

/** Digest of a file; it is read again only if its size or time has changed. Throws the file system's error. */
export async function digest(file: string): Promise<Digest> {
  const { size, mtimeNs, ino } = await stat(file, { bigint: true })
  const key = `${file} ${size} ${mtimeNs} ${ino}`
  const reading = known.get(key) ?? read(file)
  known.set(key, reading)
  reading.catch(() => known.delete(key))
  return await reading
}

async function read(file: string): Promise<Digest> {
  const hash = createHash('sha256')
  const locations = new Set<string>()
  const handle = await open(file, 'r')
  try {
    // one buffer for the whole file: new ones, gigabytes in all, would not be collected fast enough
    const buffer = Buffer.alloc(OVERLAP + PIECE)
    // a name may begin in one piece and end in the next, so the end of each piece is kept before the next one
    for (let kept = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, kept, PIECE)
      if (bytesRead === 0) break
      const end = kept + bytesRead
      hash.update(buffer.subarray(kept, end))
      for (const name of locationsIn(buffer.subarray(0, end))) locations.add(name)
      kept = Math.min(OVERLAP, end)
      buffer.copyWithin(0, end - kept, end)
    }
  } finally {
    await handle.close()
  }
  return { sha256: hash.digest('hex'), locations: [...locations].sort() }
}

function* locationsIn(text: Buffer): Generator<string> {
  for (let at = text.indexOf(LOCATION); at >= 0; at = text.indexOf(LOCATION, at + 1)) {
    const begin = at + LOCATION.length + 1
    const length = text[begin - 1] ?? MAX_NAME + 1
    if (length <= MAX_NAME && begin + length <= text.length) yield text.toString('utf8', begin, begin + length)
  }
}
