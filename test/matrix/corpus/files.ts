/** The files of a corpus. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface CorpusFile {
  path: string
  bytes: Buffer
}

/**
 * Every regular file below the folders that has not been seen with the same bytes before. Links are not followed.
 * @throws Error for a folder that cannot be read
 */
export async function* distinctFiles(folders: readonly string[]): AsyncGenerator<CorpusFile> {
  const seen = new Set<string>()
  for (const folder of folders)
    for (const path of await pathsBelow(folder)) {
      const bytes = await readFile(path)
      const hash = createHash('sha256').update(bytes).digest('hex')
      if (seen.has(hash)) continue
      seen.add(hash)
      yield { path, bytes }
    }
}

async function pathsBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
}
