/** Where the pictures of replies are written: `--crop PATH`, `--overlay PATH`. */
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, extname, join, parse, resolve } from 'node:path'
import { CliError, EXIT } from '../command.js'
import type { World } from '../spec.js'

const FORMATS: Readonly<Record<string, 'jpeg' | 'png' | 'webp'>> = {
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.png': 'png',
  '.webp': 'webp',
}

export interface Place {
  /** As it is told: relative where it was given so. */
  path: string
  format: 'jpeg' | 'png' | 'webp'
}

/**
 * Tells where each picture goes: one picture to the file that `path` names, several to the folder, each under its image's
 * name and in its image's format. Folders are made.
 * @param option For messages.
 * @param count How many pictures there will be.
 * @throws CliError usage
 */
export async function pictureFiles(
  option: string,
  path: string,
  count: number,
  { cwd }: World,
): Promise<(image: string) => Place> {
  const isFolder = /[/\\]$/.test(path) || (await stat(resolve(cwd, path)).catch(() => null))?.isDirectory() === true
  const format = FORMATS[extname(path).toLowerCase()]
  if (!isFolder && count === 1) {
    if (!format)
      throw new CliError(EXIT.usage, `${option} is "${path}", but must be a file that ends in .jpg, .png or .webp.`)
    await makeFolder(option, dirname(resolve(cwd, path)))
    return () => ({ path, format })
  }
  if (!isFolder && format)
    throw new CliError(EXIT.usage, `${option} is "${path}", but there will be ${count} pictures; name a folder.`)
  await makeFolder(option, resolve(cwd, path))
  const taken = new Set<string>()
  return image => {
    const { name, ext } = image === '-' ? { name: 'stdin', ext: '' } : parse(image)
    const own = FORMATS[ext.toLowerCase()]
    const end = own ? ext : '.jpg'
    let file = `${name}${end}`
    for (let n = 2; taken.has(file); n++) file = `${name}-${n}${end}`
    taken.add(file)
    return { path: join(path, file), format: own ?? 'jpeg' }
  }
}

/** @throws CliError failed */
export async function writePicture({ path }: Place, base64: string, { cwd }: World): Promise<void> {
  await writeFile(resolve(cwd, path), Buffer.from(base64, 'base64')).catch(error => {
    throw new CliError(EXIT.failed, `${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`)
  })
}

async function makeFolder(option: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch(error => {
    throw new CliError(
      EXIT.usage,
      `${option}: the folder ${folder} cannot be made (${(error as NodeJS.ErrnoException).code}); name another one.`,
    )
  })
}
