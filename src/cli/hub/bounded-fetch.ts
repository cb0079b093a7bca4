/** A `fetch` for replies that are small and come soon: what a hub says of a repository. */
import { CliError, EXIT } from '../command.js'

export interface ReplyLimits {
  /** Of one reply, in bytes. */
  maxBytes: number
  /** Requests in all: a list comes in pages, of which each names the next. */
  maxRequests: number
  /** Milliseconds for one reply, its body included. */
  timeoutMs: number
}

/**
 * Replies are read whole before they are given.
 * @throws CliError failed: a reply is too long, comes too slowly, or there are too many
 */
export function boundedFetch({ maxBytes, maxRequests, timeoutMs }: ReplyLimits): typeof fetch {
  let requests = 0
  return async (input, init) => {
    const { origin } = new URL(input instanceof Request ? input.url : input)
    const refuse = (what: string) =>
      new CliError(EXIT.failed, `${origin} ${what}. Is it a Hugging Face hub? HF_ENDPOINT names another one.`)
    requests += 1
    if (requests > maxRequests) throw refuse(`gives its list of files in more than ${maxRequests} pages`)
    const timeout = AbortSignal.timeout(timeoutMs)
    try {
      const response = await fetch(input, { ...init, signal: timeout })
      const chunks: Uint8Array[] = []
      let size = 0
      for await (const chunk of response.body ?? []) {
        size += chunk.length
        // leaving the loop ends the transfer
        if (size > maxBytes) throw refuse(`replies with more than ${maxBytes} bytes where it should list files`)
        chunks.push(chunk)
      }
      const { status, statusText, headers, url } = response
      const body = [101, 204, 205, 304].includes(status) ? null : Buffer.concat(chunks)
      // of a response that is made here it would be empty
      return Object.defineProperty(new Response(body, { status, statusText, headers }), 'url', { value: url })
    } catch (error) {
      throw timeout.aborted ? refuse(`did not give its whole reply within ${timeoutMs / 1000} s`) : error
    }
  }
}
