import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { dirname, join } from 'node:path'

/** `external_data` of a tensor as protobuf writes it: key (field 1, 8 bytes) "location", value (field 2). */
const LOCATION = Buffer.from('\x0a\x08location\x12', 'latin1')
/** One byte of length before the name; longer names than this are no file's. */
const LONGEST_NAME = 127

/**
 * sha256 of a graph and of the files that its weights are in, lower-case hex. Throws the file system's error where one
 * of them cannot be read.
 */
export async function sourceHash(graph: string): Promise<string> {
  const hash = createHash('sha256')
  const names = new Set<string>()
  let tail: Buffer = Buffer.alloc(0)
  for await (const piece of read(graph, hash)) {
    const text = Buffer.concat([tail, piece])
    for (const name of locationsIn(text)) names.add(name)
    // what begins in one piece may end in the next
    tail = text.subarray(-(LOCATION.length + 1 + LONGEST_NAME))
  }
  for (const name of [...names].sort()) {
    hash.update(`\0${name}\0`)
    for await (const _ of read(join(dirname(graph), name), hash));
  }
  return hash.digest('hex')
}

async function* read(file: string, hash: Hash): AsyncGenerator<Buffer> {
  for await (const piece of createReadStream(file, { highWaterMark: 2 ** 20 })) {
    hash.update(piece as Buffer)
    yield piece as Buffer
  }
}

function* locationsIn(text: Buffer): Generator<string> {
  for (let at = text.indexOf(LOCATION); at >= 0; at = text.indexOf(LOCATION, at + 1)) {
    const begin = at + LOCATION.length + 1
    const length = text[begin - 1] ?? LONGEST_NAME + 1
    if (length <= LONGEST_NAME && begin + length <= text.length) yield text.toString('utf8', begin, begin + length)
  }
}
