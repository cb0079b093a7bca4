/** Where the folder of a model is. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of the package itself, which holds `models/`. */
const PACKAGE = fileURLToPath(new URL('../../', import.meta.url))

/**
 * The absolute path of a model folder: under the home folder after `~/`, else from the working directory on. A path that
 * begins with `models/` and is not there means a bundled model, which lies where the package is installed.
 */
export function modelFolder(path: string): string {
  const folder = resolve(path.startsWith('~/') ? join(homedir(), path.slice(2)) : path)
  if (existsSync(folder) || !/^(\.\/)?models\//.test(path)) return folder
  const bundled = resolve(PACKAGE, path)
  return existsSync(bundled) ? bundled : folder
}
