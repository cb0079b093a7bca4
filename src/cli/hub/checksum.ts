/** The two checksums a hub lists, computed while a file streams by. */
import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { HubFile } from './select.js'

/** A running checksum of the file's content; git's blob id needs the size up front. */
export function startChecksum({ checksum, size }: HubFile): Hash {
  if (checksum.kind === 'sha256') return createHash('sha256')
  return createHash('sha1').update(`blob ${size}\0`)
}

/** Adds what a file on disk holds to a running checksum. */
export async function addFile(hash: Hash, path: string): Promise<Hash> {
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash
}

/** Whether a file on disk is the one that the hub lists. */
export async function isSame(path: string, file: HubFile): Promise<boolean> {
  if ((await sizeOf(path)) !== file.size) return false
  const hash = await addFile(startChecksum(file), path)
  return hash.digest('hex') === file.checksum.hex
}

/** Bytes; 0 where there is no such file. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => null))?.size ?? 0
}
