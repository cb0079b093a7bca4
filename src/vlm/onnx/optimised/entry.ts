/**
 * One entry of the graph cache: a folder with the optimised graph, its weights, and a seal that shows damage to them.
 */
import { existsSync } from 'node:fs'
import { open, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { digest } from '../../folder/digest.js'

export const GRAPH = 'graph.onnx'
/** The weights, as they are and as the kernels repack them; there is no such file if all weights are tiny. */
export const DATA = 'graph.data'
const SEAL = 'seal.json'

interface Seal {
  /** Of the file `graph.onnx`. */
  sha256: string
  /** Of the file `graph.data`: no hash, because reading gigabytes would take much longer than mapping them. */
  data: { bytes: number; mtimeMs: number } | null
}

/** Seals a folder that was just filled, after its files have reached the disk. */
export async function seal(folder: string): Promise<void> {
  for (const file of [GRAPH, DATA].filter(name => existsSync(join(folder, name)))) {
    const handle = await open(join(folder, file), 'r+')
    await handle.sync()
    await handle.close()
  }
  await writeFile(join(folder, SEAL), JSON.stringify(await look(folder)), { flush: true })
}

/** What is wrong with a folder; null if it is as it was when it was sealed. */
export async function damageOf(folder: string): Promise<string | null> {
  try {
    const sealed = JSON.parse(await readFile(join(folder, SEAL), 'utf8')) as Seal
    const found = await look(folder)
    if (found.sha256 !== sealed.sha256) return `${GRAPH} has changed`
    return JSON.stringify(found.data) === JSON.stringify(sealed.data) ? null : `${DATA} has changed`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

async function look(folder: string): Promise<Seal> {
  const { sha256 } = await digest(join(folder, GRAPH))
  const data = join(folder, DATA)
  if (!existsSync(data)) return { sha256, data: null }
  const { size: bytes, mtimeMs } = await stat(data)
  return { sha256, data: { bytes, mtimeMs } }
}
