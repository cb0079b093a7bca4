/** The two kinds of checksum that a hub lists, computed while a file is read or arrives. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { HubFile } from './select.js'

/** Starts the checksum of a file's content. Git's blob id is of the file's size and its content. */
export function startChecksum({ checksum, size }: HubFile): Hash {
  if (checksum.kind === 'sha256') return createHash('sha256')
  return createHash('sha1').update(`blob ${size}\0`)
}

/** Adds the content of a file on disk to a checksum. */
export async function addFile(hash: Hash, path: string): Promise<Hash> {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash
}

/** Whether a file on disk has the size and the checksum that the hub lists. */
export async function isSame(path: string, file: HubFile): Promise<boolean> {
  if ((await sizeOf(path)) !== file.size) return false
  const hash = await addFile(startChecksum(file), path)
  return hash.digest('hex') === file.checksum.hex
}

/** The size of a file in bytes; 0 if it does not exist. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0
}
