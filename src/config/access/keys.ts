/** The keys that callers of this service give. */
import { Type } from '@sinclair/typebox'
import { OrNull } from '../schema.js'
import { readKeyFile, readSingleKey } from './key-file.js'
import { keysOf } from './key-to-send.js'

export const KEY_VARIABLES = {
  apiKey: OrNull(
    Type.String({
      env: 'API_KEY',
      secret: true,
      description:
        'Bearer token every route but health, metrics, the documentation and the page at / asks for, or several of them separated by commas; unset, and without API_KEY_FILE: no key is needed.',
    }),
  ),
  apiKeyFile: OrNull(
    Type.String({
      env: 'API_KEY_FILE',
      path: true,
      description:
        'A file with such keys, one a line, # before comments; it is read again where it changes, so that keys can be replaced while the service runs. Those of API_KEY count too.',
    }),
  ),
}

/** All keys at the start of the service. What is wrong is added to `problems`, what an operator should know to `warnings`. */
export function readKeys(
  { apiKey = null, apiKeyFile = null }: { apiKey?: string | null; apiKeyFile?: string | null },
  problems: string[],
  warnings: string[],
): readonly string[] {
  const written = keysOf(apiKey)
  if (apiKey !== null && written.length === 0)
    problems.push('API_KEY holds no key but commas; set it to a key, or unset it.')
  if (apiKeyFile === null) return written
  const file = readKeyFile('API_KEY_FILE', apiKeyFile)
  if ('problem' in file) {
    problems.push(file.problem)
    return written
  }
  if (file.warning !== null) warnings.push(file.warning)
  return [...written, ...file.keys]
}

/**
 * The key of an endpoint, out of a variable or out of the file that another variable names.
 * @param name Of the variable that holds the key; the other has `_FILE` behind it.
 */
export function endpointKey(
  name: string,
  key: string | null,
  file: string | null,
  problems: string[],
  warnings: string[],
): string | null {
  if (file === null) return key
  if (key !== null) {
    problems.push(`${name} and ${name}_FILE are set together, but there is one key; keep one of them.`)
    return null
  }
  const read = readSingleKey(`${name}_FILE`, file)
  if ('problem' in read) {
    problems.push(read.problem)
    return null
  }
  if (read.warning !== null) warnings.push(read.warning)
  return read.key
}
