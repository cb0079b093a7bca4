/** What `image` stands for: a file, bytes, or a link. */
import { fileURLToPath } from 'node:url'
import { checkImage, type ImageLimits } from '../../image/limits.js'
import { ToolError } from '../tool-error.js'
import { type Reading, readWithin } from './read-file.js'
import type { Root } from './roots.js'

/** A picture's file, or a link that the service fetches. */
export type Source = { kind: 'bytes'; bytes: Buffer } | { kind: 'link'; link: string }

export interface SourceOptions extends Pick<Reading, 'cwd' | 'maxBytes'> {
  roots(): Promise<readonly Root[]>
  limits: ImageLimits
  /** Whether the service fetches links; null where only a running service knows. */
  links: boolean | null
}

/** A Windows path begins with one letter and a colon, so a scheme has two or more. */
const SCHEME = /^([a-z][a-z0-9+.-]+):/i

/**
 * Opens what a model names. A file's format and size are checked by its first bytes.
 * @throws ToolError; CropVlmError unsupported_image_format, image_undecodable, image_too_large, image_aspect_too_extreme
 */
export async function openSource(text: string, options: SourceOptions, signal: AbortSignal): Promise<Source> {
  const scheme = SCHEME.exec(text)?.[1]?.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return openLink(text, options)
  const bytes = scheme === 'data' ? await dataUrl(text, options.maxBytes) : await file(text, scheme, options, signal)
  checkImage(bytes, options.limits)
  return { kind: 'bytes', bytes }
}

function openLink(link: string, { links }: SourceOptions): Source {
  if (links === false)
    throw new ToolError(
      'This server fetches no pictures from links (IMAGE_URLS is off). Save the picture as a file and give its path, or start the server with IMAGE_URLS=allow and its host in IMAGE_URL_HOSTS.',
    )
  return { kind: 'link', link }
}

async function file(text: string, scheme: string | undefined, options: SourceOptions, signal: AbortSignal) {
  const { cwd, maxBytes } = options
  return await readWithin(pathOf(text, scheme), { roots: await options.roots(), cwd, maxBytes, signal })
}

function pathOf(text: string, scheme: string | undefined): string {
  if (scheme === 'file') {
    try {
      return fileURLToPath(text)
    } catch (error) {
      throw new ToolError(`${text.slice(0, 200)} is no URL of a file on this machine (${(error as Error).message}).`)
    }
  }
  if (scheme !== undefined && text.startsWith(`${scheme}://`))
    throw new ToolError(
      `"${scheme}:" is not read; give a path, a file:// or data: URL, or an http(s) link where links are allowed.`,
    )
  return text
}

/** The URL Standard's reader of data URLs is that of `fetch`; nothing leaves the process. */
async function dataUrl(text: string, maxBytes: number): Promise<Buffer> {
  // base64 takes 4 characters for 3 bytes; the rest is for its head, and for line breaks
  if (text.length > maxBytes * 1.4 + 4096)
    throw new ToolError(`The data URL holds more than ${maxBytes} bytes (MAX_BODY_BYTES); make the picture smaller.`)
  const bytes = await fetch(text).then(
    async reply => Buffer.from(await reply.arrayBuffer()),
    () => {
      throw new ToolError('The data URL cannot be read; its form is data:image/png;base64, and then base64.')
    },
  )
  if (bytes.length <= maxBytes) return bytes
  throw new ToolError(`The data URL holds ${bytes.length} bytes; at most ${maxBytes} are read (MAX_BODY_BYTES).`)
}
