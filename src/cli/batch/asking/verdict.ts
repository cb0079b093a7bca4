/** What a failed request says about the row, and about the service. */
import type { ClientError } from '../../../client/error.js'

/**
 * - `row`: the row is wrong, and would be again.
 * - `again`: this request failed; it may succeed when it is repeated.
 * - `later`: the service has no room, or is not ready.
 * - `gone`: no service answers.
 * - `stop`: no row would succeed.
 */
export type Verdict = 'row' | 'again' | 'later' | 'gone' | 'stop'

export function verdictOf({ code, status, retryAfter }: ClientError): Verdict {
  if (status === null) return code === 'unreachable' ? 'gone' : code === 'timeout' ? 'again' : 'stop'
  if (status === 429 || status === 503 || (status > 500 && retryAfter !== null)) return 'later'
  // of a proxy in front of the service
  if (code === 'unreachable' && (status === 502 || status === 504)) return 'gone'
  if (code === 'unreachable' && (status === 404 || status === 405 || status < 400)) return 'stop'
  if (status === 401 || status === 407) return 'stop'
  return status >= 500 || status === 408 ? 'again' : 'row'
}
