/** Most bytes of a reply that are read, counted after decompression. */
export const MAX_REPLY_BYTES = 4 * 1024 * 1024

/** A reply that cannot be taken for what it is. The message is a clause about the reply, as in "it is too long". */
export class OddReply extends Error {
  override readonly name = 'OddReply'
}

/** The line with which an event stream ends. No JSON holds it: a line break within a text is written as `\n`. */
const END_OF_EVENTS = /[\n\r]data: ?\[DONE\]/

/**
 * Reads a body as UTF-8. It ends where the body does, or where an event stream says that it has ended: some servers leave
 * the connection open after that.
 * @throws OddReply if there are more bytes than `MAX_REPLY_BYTES`; the rest is not read, and the connection is closed
 */
export async function readText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  if (body === null) return ''
  const decoder = new TextDecoder()
  const pieces: string[] = []
  // the body begins a line; no later piece of it need do so
  let [bytes, tail] = [0, '\n']
  // leaving the loop early cancels the body, which closes the connection
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > MAX_REPLY_BYTES) throw new OddReply(`it is longer than ${MAX_REPLY_BYTES / 1024 / 1024} MiB`)
    const piece = decoder.decode(chunk, { stream: true })
    pieces.push(piece)
    if (END_OF_EVENTS.test(tail + piece)) break
    tail = (tail + piece).slice(-END_LENGTH)
  }
  return pieces.join('') + decoder.decode()
}

/** Of an end that is cut in two by the border of two chunks, at most so many letters are in the first. */
const END_LENGTH = '\ndata: [DONE]'.length
