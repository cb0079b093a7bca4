import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { digest } from '../../folder/digest.js'

/**
 * sha256 over a graph and all files that hold its weights, lower-case hex. Throws the file system's error if one of
 * them cannot be read.
 */
export async function sourceHash(graph: string): Promise<string> {
  const { sha256, locations } = await digest(graph)
  const hash = createHash('sha256').update(sha256)
  for (const name of locations) hash.update(`\0${name}\0${(await digest(join(dirname(graph), name))).sha256}`)
  return hash.digest('hex')
}
