import type { CropVlmClient } from '../../../client/client.js'
import { ClientError } from '../../../client/error.js'
import { CliError, EXIT } from '../../command.js'

/**
 * The largest body that the service takes, in bytes. This also shows, before any row is asked, that it is there.
 * @throws CliError failed, notAllowed
 */
export async function readLimits(client: CropVlmClient, url: string): Promise<number> {
  try {
    return (await client.info()).limits.body_bytes
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    if (error.status === 401) throw new CliError(EXIT.notAllowed, `${url} asks for a key; set API_KEY to it.`)
    throw new CliError(EXIT.failed, `${error.message} Start one with \`cropvlm serve\`, or leave --url out.`, error)
  }
}
