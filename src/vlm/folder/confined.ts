import { realpathSync, statSync } from 'node:fs'
import { isAbsolute, join, relative, sep } from 'node:path'

/** A regular file within a folder, or why it is none: the rest of a sentence that begins with its name. */
export type Confined = { path: string; bytes: number } | { problem: string; cause?: unknown }

/**
 * Finds a file of a folder without opening it. The names come from the folder's own files, which may be anybody's: one that
 * leads out of the folder would have this process read what its author chooses, and a pipe or a device would never end.
 * @param file Path within `dir`.
 */
export function confined(dir: string, file: string): Confined {
  const path = join(dir, file)
  if (isAbsolute(file) || isOutside(dir, path)) return { problem: 'leads out of the model folder.' }
  try {
    const real = realpathSync(path)
    if (isOutside(linkRoot(realpathSync(dir)), real))
      return { problem: `is a link out of the model folder, to ${real}; put the file itself there.` }
    const found = statSync(real)
    if (!found.isFile()) return { problem: 'is no regular file.' }
    return { path: real, bytes: found.size }
  } catch (cause) {
    const missing = (cause as NodeJS.ErrnoException).code === 'ENOENT'
    return { problem: missing ? 'is missing from the model folder.' : 'cannot be read.', cause }
  }
}

/**
 * Where links of a folder may lead: into the folder, and in the hub's cache into that of its repository, whose `snapshots/`
 * link to its `blobs/` (huggingface_hub, "Understand caching").
 */
function linkRoot(dir: string): string {
  return /^(.*[/\\]models--[^/\\]+)[/\\]snapshots[/\\]/.exec(`${dir}${sep}`)?.[1] ?? dir
}

function isOutside(dir: string, path: string): boolean {
  const way = relative(dir, path)
  return isAbsolute(way) || way === '..' || way.startsWith(`..${sep}`)
}
