/** What a model is told when a call of a tool has failed. */
import { ClientError } from '../client/error.js'
import { CropVlmError } from '../errors.js'

/** A failure about which the model, or the person who set the server up, can do something; the message says what. */
export class ToolError extends Error {
  override readonly name = 'ToolError'
}

/** What the model is told of a failure; null where the failure is a bug, of which it is told nothing. */
export function adviceOn(error: unknown): string | null {
  if (error instanceof ToolError || error instanceof CropVlmError) return error.message
  if (!(error instanceof ClientError)) return null
  switch (error.code) {
    case 'unreachable':
      return `${error.message} Start it with \`cropvlm serve\`, or start this server without --url.`
    case 'invalid_url':
    case 'url_not_allowed':
    case 'url_failed':
    case 'url_timeout':
      return `${error.message} Or save the picture as a file, and give its path.`
    default:
      return error.message
  }
}
