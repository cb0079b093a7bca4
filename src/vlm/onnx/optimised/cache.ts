/**
 * Keeps graphs on disk as ONNX Runtime has optimised them for this CPU, with the weights as its kernels repack them.
 * The files are mapped into memory, not read: loading takes a fraction of the time, and processes that run the same
 * model share its pages.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { arch, cpus } from 'node:os'
import { join } from 'node:path'
import { CropVlmError } from '../../../errors.js'
import type { OnStep } from '../../on-step.js'
import { damageOf, GRAPH } from './entry.js'
import { runWriter } from './run-writer.js'
import { scratchFolder } from './scratch.js'
import { sourceHash } from './source.js'

export interface GraphCache {
  dir: string
  /** Bytes of memory that the process may hold which writes an optimised graph; null, the default: as many as there are. */
  memoryLimit?: number | null
  /** Called with what an operator should know. */
  log: (level: 'info' | 'warn', message: string) => void
}

/** An entry that was not opened for this long is removed when another one is written. */
const UNUSED_MS = 30 * 24 * 3_600_000

/**
 * Path of the optimised form of a graph. If there is none yet, or it is damaged, it is made now, which takes seconds.
 * @param file Path of the graph.
 * @param runtime Version of ONNX Runtime: another version may optimise differently.
 * @throws CropVlmError engine_unavailable if that takes more memory than it may
 * @returns null if `file` cannot be read, or if its optimised form cannot be kept; then the log says why
 */
export async function cachedGraph(
  file: string,
  { dir, log, memoryLimit = null }: GraphCache,
  runtime: string,
  onStep: OnStep,
): Promise<string | null> {
  onStep('hashing', file)
  const source = await sourceHash(file).catch(() => null)
  if (source === null) return null
  const entry = join(dir, `${source}-${runtime}-${cpuHash()}`)
  try {
    const damage = existsSync(entry) ? await damageOf(entry) : 'absent'
    if (damage !== null) {
      if (damage !== 'absent') log('warn', `${entry} is damaged (${damage}) and is made anew from ${file}`)
      await rm(entry, { recursive: true, force: true })
      await mkdir(dir, { recursive: true, mode: 0o700 })
      onStep('optimising', file)
      await write(file, entry, memoryLimit)
      await removeUnused(dir)
      log('info', `${file} was optimised for this CPU and is kept as ${entry}`)
    }
    // marks the entry as used; it fails if the folder is read-only, but then nothing is removed from it either
    await utimes(entry, new Date(), new Date()).catch(() => {})
    return join(entry, GRAPH)
  } catch (error) {
    if (error instanceof CropVlmError) throw error
    const why = error instanceof Error ? error.message : error
    log(
      'warn',
      `${file} is loaded as it is, slowly and into memory of its own, as its optimised form cannot be kept (${why}); set GRAPH_CACHE_DIR to a folder that can be written, or to off`,
    )
    return null
  }
}

/** Writes an entry under another name, then renames it: it appears whole, and several processes may do this at once. */
async function write(file: string, entry: string, memoryLimit: number | null): Promise<void> {
  const scratch = await scratchFolder(entry)
  try {
    await runWriter(file, scratch, memoryLimit)
    await rename(scratch, entry).catch(error => {
      // another process was faster
      if (!existsSync(entry)) throw error
    })
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function removeUnused(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!/^[0-9a-f]{64}-/.test(name)) continue
    const path = join(dir, name)
    const { mtimeMs } = await stat(path)
    if (mtimeMs < Date.now() - UNUSED_MS) await rm(path, { recursive: true, force: true })
  }
}

/** Identifies the CPU: by its features kernels are chosen, and the layouts that they want. */
function cpuHash(): string {
  const what = existsSync('/proc/cpuinfo')
    ? (/^(?:flags|Features)\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '')
    : ''
  return createHash('sha256').update(`${arch()} ${cpus()[0]?.model} ${what}`).digest('hex').slice(0, 12)
}
