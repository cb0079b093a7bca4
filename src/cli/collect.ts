/** Reads what a person names whole, pipes as well, but no more than makes sense. */
import { createReadStream } from 'node:fs'
import { CliError, EXIT } from './command.js'

/** Of an image: more than a body of any service, whose images have 50 megapixels unless it was told otherwise. */
export const MAX_IMAGE_BYTES = 512 * 1024 * 1024

/**
 * @param what Names the stream in the message.
 * @throws CliError usage: there is more than `maxBytes`; and what the stream throws
 */
export async function collect(
  stream: AsyncIterable<Buffer | string>,
  what: string,
  maxBytes: number,
): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Buffer)
    size += bytes.length
    // leaving the loop closes the stream
    if (size > maxBytes)
      throw new CliError(
        EXIT.usage,
        `${what} has more than ${maxBytes} bytes, the most that is read; is it the right one?`,
      )
    chunks.push(bytes)
  }
  return Buffer.concat(chunks)
}

/** The same for what is at a path. */
export function collectFile(path: string, what: string, maxBytes: number): Promise<Buffer<ArrayBuffer>> {
  return collect(createReadStream(path), what, maxBytes)
}
