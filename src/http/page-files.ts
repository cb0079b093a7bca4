/** The files of the page at `/`, read once at start. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Beside the compiled service as in the sources; `scripts/after-compile.mjs` puts it there. */
export const PAGE_FOLDER = fileURLToPath(new URL('../page/', import.meta.url))

/** What is served; nothing else of the folder is. */
const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
}

export interface PageFile {
  type: string
  bytes: Buffer
  /** With its quotes, as the header has it. */
  etag: string
}

/**
 * Reads the page.
 * @param folder with `index.html` in it
 * @returns each file by its path below the folder, with slashes
 * @throws Error where the folder holds no page
 */
export async function readPage(folder = PAGE_FOLDER): Promise<ReadonlyMap<string, PageFile>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(cause => {
    throw new Error(`the page's folder ${folder} cannot be read; \`npm run build\` makes it`, { cause })
  })
  const files = new Map<string, PageFile>()
  for (const entry of entries) {
    const type = TYPES[extname(entry.name)]
    if (!entry.isFile() || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
    files.set(relative(folder, path).split(sep).join('/'), { type, bytes, etag })
  }
  if (!files.has('index.html')) throw new Error(`${folder} has no index.html; \`npm run build\` copies it there`)
  return files
}
