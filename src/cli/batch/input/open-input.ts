/** What INPUT names: a JSONL file, a folder of images, or `-` for JSONL on stdin. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { CliError, EXIT } from '../../command.js'
import type { World } from '../../spec.js'
import { folderRows } from './folder.js'
import { jsonlRows } from './jsonl.js'
import type { RowSettings } from './parse-row.js'
import type { Row } from './row.js'

export interface InputOptions extends Omit<RowSettings, 'images'> {
  /** Where relative paths of images begin; null: beside the JSONL file. */
  images: string | null
  /** The folder of the crops, which holds no input. */
  crops: string | null
}

/**
 * @param signal Ends the reading.
 * @throws CliError usage, notFound
 */
export async function openInput(
  input: string,
  { images, crops, ...options }: InputOptions,
  world: World,
  signal: AbortSignal,
): Promise<AsyncGenerator<Row>> {
  const at = (path: string) => resolve(world.cwd, path)
  if (input === '-')
    return jsonlRows(chunksOf(world.stdin, signal), null, { ...options, images: at(images ?? '.') }, 'stdin')
  const path = at(input)
  const found = await stat(path).catch(() => {
    throw new CliError(
      EXIT.notFound,
      `${input} is not there: INPUT is a JSONL file, a folder of images, or - for stdin.`,
    )
  })
  if (found.isDirectory()) {
    if (options.question === null)
      throw new CliError(EXIT.usage, `${input} is a folder: give the question for its images behind it.`)
    return folderRows(path, options.question, crops === null ? null : at(crops))
  }
  if (/\.(jpe?g|png|webp)$/i.test(input))
    throw new CliError(
      EXIT.usage,
      `${input} is one image: ask with \`cropvlm crop ${input} "..."\`, or give its folder.`,
    )
  // a pipe, such as one of the shell's <(...), has no size
  const size = found.isFile() ? found.size : null
  return jsonlRows(
    chunksOf(createReadStream(path), signal),
    size,
    { ...options, images: at(images ?? dirname(path)) },
    input,
  )
}

/** The bytes of a stream, until the signal. */
async function* chunksOf(
  stream: NodeJS.ReadableStream & { destroy?(error?: Error): unknown },
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const stop = () => stream.destroy?.()
  signal.addEventListener('abort', stop)
  try {
    if (!signal.aborted) for await (const chunk of stream) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
  } catch (error) {
    // destroyed by the signal
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
