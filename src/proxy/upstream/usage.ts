/** Reads the tokens that an upstream tells, from a copy of its reply. */
import { memberOf, parseAt, type Span, UnreadableJsonError, valueBehindColon } from '../json/scan.js'

export interface Tokens {
  prompt: number
  completion: number
}

/** Usage stands at the end of a reply, streamed or not; of a Responses reply a few kilobytes of it follow at most. */
const TAIL_BYTES = 16 * 1024

/** Keeps the last bytes of a reply. They are copied: a chunk would keep alive the whole buffer that it was read into. */
export class Tail {
  readonly #ring: Buffer
  #length = 0

  /** @param size Bytes of the reply, where that is known. */
  constructor(size = TAIL_BYTES) {
    this.#ring = Buffer.allocUnsafe(Math.min(size, TAIL_BYTES))
  }

  push(chunk: Buffer): void {
    const last = chunk.subarray(-this.#ring.length)
    const at = (this.#length + chunk.length - last.length) % this.#ring.length
    const fits = last.copy(this.#ring, at)
    last.copy(this.#ring, 0, fits)
    this.#length += chunk.length
  }

  bytes(): Buffer {
    if (this.#length <= this.#ring.length) return this.#ring.subarray(0, this.#length)
    const at = this.#length % this.#ring.length
    return Buffer.concat([this.#ring.subarray(at), this.#ring.subarray(0, at)])
  }
}

/**
 * The last `usage` object of a reply, of OpenAI's chat completions and Responses and of Anthropic's messages; null where
 * there is none, or not both counts in it. In a text of the reply the same word has backslashes before its quotes.
 */
export function usageIn(reply: Buffer): Tokens | null {
  const key = '"usage"'
  for (let at = reply.lastIndexOf(key); at >= 0; at = at === 0 ? -1 : reply.lastIndexOf(key, at - 1)) {
    const tokens = tokensBehind(reply, at + key.length)
    if (tokens) return tokens
  }
  return null
}

function tokensBehind(reply: Buffer, from: number): Tokens | null {
  try {
    return tokensOf(reply, valueBehindColon(reply, from))
  } catch (error) {
    if (error instanceof UnreadableJsonError) return null
    throw error
  }
}

function tokensOf(reply: Buffer, usage: Span): Tokens | null {
  const count = (...names: string[]) => {
    const value = names.map(name => memberOf(reply, usage, name)).find(span => span !== undefined)
    const number = value && parseAt(reply, value)
    return Number.isSafeInteger(number) && Number(number) >= 0 ? Number(number) : null
  }
  const prompt = count('prompt_tokens', 'input_tokens')
  const completion = count('completion_tokens', 'output_tokens')
  return prompt === null || completion === null ? null : { prompt, completion }
}
