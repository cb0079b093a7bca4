/** The images of a folder as rows, in the order of their names. Only the names of one folder are held at a time. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { hashRow, type Row } from './row.js'

const IMAGE = /\.(jpe?g|png|webp)$/i

/**
 * Hidden files, and folders that are links, are left out.
 * @param except A folder that is left out: that of the crops.
 */
export async function* folderRows(folder: string, question: string, except: string | null): AsyncGenerator<Row> {
  let total = 0
  for await (const _path of imagesOf(folder, except)) total++
  let index = 0
  for await (const path of imagesOf(folder, except)) {
    const name = relative(folder, path).split(sep).join('/')
    yield {
      index,
      hash: hashRow(name),
      share: Math.min(1, (index + 1) / total),
      content: { id: name, imageName: name, image: { path }, question, options: {}, copied: {} },
    }
    index++
  }
}

async function* imagesOf(folder: string, except: string | null): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.name.startsWith('.') || path === except) continue
    if (entry.isDirectory()) yield* imagesOf(path, except)
    else if (IMAGE.test(entry.name) && (entry.isFile() || (entry.isSymbolicLink() && (await isFile(path))))) yield path
  }
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isFile(),
    () => false,
  )
}
