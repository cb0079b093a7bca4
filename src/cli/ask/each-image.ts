/** Asks about one image after the other. */
import { ClientError } from '../../client/error.js'
import { CliError, EXIT } from '../command.js'
import type { World } from '../spec.js'
import type { ImageFile } from './images.js'

/**
 * Calls `ask` for each image. One that fails is told on stderr, and the others are asked about all the same; where the
 * service itself cannot be used, none is.
 * @returns the exit code
 * @throws CliError failed: no service answers; notAllowed: it asks for a key; what the signal was aborted with
 */
export async function eachImage(
  images: readonly ImageFile[],
  { stderr, signal }: World,
  ask: (image: ImageFile) => Promise<void>,
): Promise<number> {
  let failed = false
  for (const image of images) {
    try {
      await ask(image)
    } catch (error) {
      signal.throwIfAborted()
      const told = usable(error)
      failed = true
      stderr.write(`${image.name}: ${told.message}\n`)
    }
  }
  return failed ? EXIT.failed : 0
}

/** The failure of one image. @throws what is more than that */
function usable(error: unknown): Error {
  if (error instanceof CliError && error.exitCode === EXIT.failed) return error
  if (!(error instanceof ClientError)) throw error
  if (error.code === 'invalid_api_key')
    throw new CliError(EXIT.notAllowed, 'The service asks for a key; set API_KEY to it.', error)
  if (error.code === 'unreachable') throw new CliError(EXIT.failed, error.message, error)
  if (error.code === 'timeout')
    return new CliError(EXIT.failed, `${error.message.replace('see timeoutMs', 'raise --timeout')}`, error)
  return error
}
