import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The repository: the nearest folder above this file with a lock file, whether this runs from source or compiled. */
export const ROOT = findRoot(new URL('.', import.meta.url))

function findRoot(folder: URL): string {
  if (existsSync(new URL('package-lock.json', folder)) && existsSync(new URL('trainer/', folder)))
    return fileURLToPath(folder).replace(/\/$/, '')
  const above = new URL('../', folder)
  if (above.href === folder.href) throw new Error('bench/ stands outside of its repository')
  return findRoot(above)
}
