import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import { confined } from '../../folder/confined.js'
import { digest } from '../../folder/digest.js'

/**
 * sha256 over a graph and all files that hold its weights, lower-case hex. Throws the file system's error if one of
 * them cannot be read, and an Error if the graph names one that is not in its own folder.
 */
export async function sourceHash(graph: string): Promise<string> {
  const { sha256, locations } = await digest(graph)
  const hash = createHash('sha256').update(sha256)
  for (const name of locations) {
    const found = await confined(dirname(graph), name)
    if ('problem' in found) throw found.cause ?? new Error(`its weights are in ${name}, which ${found.problem}`)
    hash.update(`\0${name}\0${(await digest(found.path)).sha256}`)
  }
  return hash.digest('hex')
}
