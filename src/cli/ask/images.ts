/** The images and questions of a command line. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { closest, distance } from 'fastest-levenshtein'
import { collect, collectFile, MAX_IMAGE_BYTES } from '../collect.js'
import { CliError, EXIT } from '../command.js'
import type { World } from '../spec.js'

export interface ImageFile {
  /** As it was given; `-` is stdin. */
  name: string
  /** @throws CliError failed */
  read(): Promise<Uint8Array<ArrayBuffer>>
}

export interface Asked {
  images: readonly ImageFile[]
  questions: readonly string[]
}

/** The arguments of a command that asks about images. */
export const IMAGE_ARGUMENTS = [
  {
    name: 'FILE',
    meaning: 'JPEG, PNG or WebP images (- is stdin), then the question, unless --question is given.',
    repeated: true,
  },
] as const

/**
 * Tells images and questions apart. Every file is looked at before anything is asked.
 * @param command For the message that shows how it is used.
 * @throws CliError usage: an image or a question is missing; notFound: a file is
 */
export async function readAsked(
  command: string,
  args: readonly string[],
  given: readonly string[],
  world: World,
): Promise<Asked> {
  const files = given.length > 0 ? args : args.slice(0, -1)
  const questions = given.length > 0 ? given : args.slice(-1)
  const usage = `Give at least one image and then the question: cropvlm ${command} page.png "What is the total?"`
  const [last = ''] = questions
  if (given.length === 0 && last !== '' && (await isThere(resolve(world.cwd, last))))
    throw new CliError(EXIT.usage, `${last} is a file, so the question is missing. ${usage}`)
  if (files.length === 0 || questions.some(question => question.trim() === '')) throw new CliError(EXIT.usage, usage)
  if (files.filter(file => file === '-').length > 1)
    throw new CliError(EXIT.usage, 'stdin (-) can be read only once; give it once.')
  if (files.includes('-') && world.stdin.isTTY)
    throw new CliError(EXIT.usage, `- reads an image from stdin: cropvlm ${command} - "What is the total?" < page.png`)
  const problems = await Promise.all(files.map(file => problemOf(file, world.cwd)))
  const found = problems.filter(problem => problem !== null)
  if (found.length > 0) throw new CliError(EXIT.notFound, found.join('\n'))
  return { images: files.map(name => ({ name, read: () => readImage(name, world) })), questions }
}

async function readImage(name: string, { cwd, stdin }: World): Promise<Uint8Array<ArrayBuffer>> {
  if (name === '-') return new Uint8Array(await collect(stdin as AsyncIterable<Buffer>, 'stdin', MAX_IMAGE_BYTES))
  const bytes = await collectFile(resolve(cwd, name), name, MAX_IMAGE_BYTES).catch(error => {
    if (error instanceof CliError) throw new CliError(EXIT.failed, error.message)
    throw new CliError(
      EXIT.failed,
      `${name} cannot be read (${(error as NodeJS.ErrnoException).code}); check its permissions.`,
    )
  })
  return new Uint8Array(bytes)
}

/** Why a file cannot be an image, and what to do; null if it can. */
async function problemOf(name: string, cwd: string): Promise<string | null> {
  if (name === '-') return null
  const path = resolve(cwd, name)
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error)
  if (!(found instanceof Error))
    return found.isDirectory() ? `${name} is a folder; name its files, or use cropvlm batch.` : null
  if (found.code !== 'ENOENT' && found.code !== 'ENOTDIR')
    return `${name} cannot be read (${found.code}); check the permissions of its folder.`
  const meant = await nearestFile(path)
  return `There is no file ${name}; ${meant === null ? 'check its name and folder' : `did you mean ${join(dirname(name), meant)}?`}`
}

/** The name in the same folder that is nearest; null if none is near. */
async function nearestFile(path: string): Promise<string | null> {
  const names = await readdir(dirname(path)).catch(() => [])
  if (names.length === 0) return null
  const wanted = basename(path)
  const nearest = closest(wanted, names)
  return distance(wanted, nearest) <= Math.max(2, wanted.length / 4) ? nearest : null
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    found => found.isFile(),
    () => false,
  )
}
