/** One kept graph: a folder with the optimised graph, its weights, and a seal that tells whether both are whole. */
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { open, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'

export const GRAPH = 'graph.onnx'
/** Weights, and what the kernels made of them; absent where the graph has none to speak of. */
export const DATA = 'graph.data'
const SEAL = 'seal.json'

/** Writes down what is in a folder that was just filled, once it is on the disk. */
export async function seal(folder: string): Promise<void> {
  const sums: Record<string, string> = {}
  for (const file of [GRAPH, DATA].filter(name => existsSync(join(folder, name)))) {
    const handle = await open(join(folder, file), 'r+')
    await handle.sync()
    await handle.close()
    sums[file] = await sha256(join(folder, file))
  }
  await writeFile(join(folder, SEAL), JSON.stringify({ sha256: sums }), { flush: true })
}

/** What is wrong with a folder; null where it is as it was sealed. */
export async function damageOf(folder: string): Promise<string | null> {
  try {
    const { sha256: sums } = JSON.parse(await readFile(join(folder, SEAL), 'utf8')) as {
      sha256: Record<string, string>
    }
    for (const [file, expected] of Object.entries(sums))
      if ((await sha256(join(folder, file))) !== expected) return `${file} has changed`
    return GRAPH in sums ? null : `${SEAL} does not name ${GRAPH}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Lower-case hex. */
async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 2 ** 20 }), hash)
  return hash.digest('hex')
}
