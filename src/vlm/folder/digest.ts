import { createHash } from 'node:crypto'
import { open, stat } from 'node:fs/promises'

/** What is known of a file from reading all of it once. */
export interface Digest {
  /** Lower-case hex. */
  sha256: string
  /** Names of the files that its weights are in, where it is an ONNX graph that has such. */
  locations: readonly string[]
}

/** `external_data` of a tensor as protobuf writes it: key (field 1, 8 bytes) "location", value (field 2). */
const LOCATION = Buffer.from('\x0a\x08location\x12', 'latin1')
/** One byte of length before the name; longer names than this are no file's. */
const LONGEST_NAME = 127
const OVERLAP = LOCATION.length + 1 + LONGEST_NAME
const PIECE = 2 ** 18

/** A model's files are asked for when they are checked and again when their optimised form is looked up. */
const known = new Map<string, Promise<Digest>>()

/** Reads a file, once as long as it stays the same by size and time. Throws the file system's error. */
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
    // one buffer for all: gigabytes in new ones would be garbage faster than it is collected
    const buffer = Buffer.alloc(OVERLAP + PIECE)
    // what begins in one piece may end in the next: the end of each is kept in front of it
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
    const length = text[begin - 1] ?? LONGEST_NAME + 1
    if (length <= LONGEST_NAME && begin + length <= text.length) yield text.toString('utf8', begin, begin + length)
  }
}
