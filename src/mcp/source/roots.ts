/** The folders whose pictures the tool may read. */
import { realpath, stat } from 'node:fs/promises'
import { isAbsolute, parse, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ToolError } from '../tool-error.js'

/** A folder by the path that somebody gave, and by the path without any symbolic link. */
export interface Root {
  given: string
  real: string
}

export interface RootSources {
  /** From `--root`. Where there is any, nothing else counts. */
  given: readonly Root[]
  /** Asks the host for the URIs of its roots; null where it offers none. */
  askHost(): Promise<readonly string[]> | null
  cwd: string
}

/**
 * Those of `--root`; without any, those of the host; where it names none, the folder in which the server was started,
 * unless that is the whole file system: Claude Desktop starts servers in `/` (anthropics/claude-code#44764).
 */
export class Roots {
  readonly #sources: RootSources
  #list: Promise<readonly Root[]> | null = null

  constructor(sources: RootSources) {
    this.#sources = sources
  }

  /** @throws ToolError where the host cannot be asked */
  list(): Promise<readonly Root[]> {
    this.#list ??= this.#read().catch(error => {
      this.#list = null
      throw error
    })
    return this.#list
  }

  /** The host's roots have changed. */
  forget(): void {
    this.#list = null
  }

  async #read(): Promise<readonly Root[]> {
    const { given, askHost, cwd } = this.#sources
    if (given.length > 0) return given
    const uris = (await askHost()?.catch(failed)) ?? []
    if (uris.length > 0) return await existing(uris.flatMap(pathOf))
    return parse(cwd).root === cwd ? [] : await existing([cwd])
  }
}

function failed({ message }: Error): never {
  throw new ToolError(
    `The host was asked which folders may be read, and did not say (${message}). Start this server with --root DIR.`,
  )
}

/** The folders among these paths. */
async function existing(paths: readonly string[]): Promise<Root[]> {
  const roots = await Promise.all(paths.map(path => rootAt(path)))
  return roots.filter(root => root !== null)
}

/** The folder at an absolute path; null where there is none. */
export async function rootAt(given: string): Promise<Root | null> {
  try {
    const real = await realpath(given)
    return (await stat(real)).isDirectory() ? { given, real } : null
  } catch {
    return null
  }
}

/** Roots of other schemes than `file` are nothing that is on this disk. */
function pathOf(uri: string): string[] {
  try {
    return uri.startsWith('file:') ? [fileURLToPath(uri)] : []
  } catch {
    return []
  }
}

/** Whether an absolute path is a folder's, or of something in it, by the letters of the path alone. */
export function isWithin(folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
