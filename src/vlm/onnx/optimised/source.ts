import { createHash } from 'node:crypto'
import { digest } from '../../folder/digest.js'
import { weightFile } from '../../folder/weights.js'

/**
 * sha256 over a graph and all files that hold its weights, lower-case hex. Throws the file system's error if one of
 * them cannot be read. @throws CropVlmError invalid_model if the graph names one that is not in its own folder
 */
export async function sourceHash(graph: string): Promise<string> {
  const { sha256, locations } = await digest(graph)
  const hash = createHash('sha256').update(sha256)
  for (const name of locations) {
    const { path } = weightFile(graph, name)
    hash.update(`\0${name}\0${(await digest(path)).sha256}`)
  }
  return hash.digest('hex')
}
