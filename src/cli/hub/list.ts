/** `models list`: the model folders below models/, bundled and fetched ones. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { readBounded } from '../../config/bounded-file.js'
import { spokenPrecision } from '../../vlm/folder/graph-names.js'
import { formatBytes } from './progress.js'
import { completePrecisions } from './select.js'

/** One line for each folder: path, origin, precisions (or that it is incomplete), size. */
export async function listModels(root: string): Promise<string[]> {
  const names = await readdir(root, { withFileTypes: true }).catch(() => [])
  const folders = names.filter(entry => entry.isDirectory()).map(entry => join(root, entry.name))
  const lines = await Promise.all(folders.sort().map(describe))
  return lines.length > 0 ? lines : [`No model folders in ${root}.`]
}

async function describe(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  const sizes = await Promise.all(files.map(async file => (await stat(file)).size))
  const paths = files.map(file => relative(folder, file))
  const precisions = completePrecisions(paths).map(spokenPrecision)
  const broken = !paths.includes('config.json') || precisions.length === 0 || paths.some(path => path.endsWith('.part'))
  const state = broken ? 'incomplete: pull it again' : precisions.join(' ')
  return `${folder}  ${await origin(folder)}  ${state}  ${formatBytes(sizes.reduce((sum, size) => sum + size, 0))}`
}

/** Of cropvlm.json; the service reads no larger one. */
const MAX_MANIFEST_BYTES = 1024 * 1024

async function origin(folder: string): Promise<string> {
  try {
    const manifest = await readBounded(join(folder, 'cropvlm.json'), MAX_MANIFEST_BYTES)
    const { role } = Object(JSON.parse(manifest.toString())) as { role?: unknown }
    return typeof role === 'string' ? `CropVLM ${role}` : 'CropVLM'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'from a hub'
    return `CropVLM, but its cropvlm.json cannot be read (${(error as Error).message})`
  }
}
