/** Apart from the other keys, so that a command which only asks a service loads none of the configuration. */
import type { Env } from '../variables.js'
import { readKeyFile } from './key-file.js'

/** The keys that `API_KEY` holds. */
export function keysOf(apiKey: string | null): string[] {
  return (apiKey ?? '').split(',').flatMap(key => key.trim() || [])
}

/** The key that a client of this service sends, by the same variables: the first of API_KEY, else of API_KEY_FILE; null: none. */
export function keyToSend(env: Env): string | null {
  const [first] = keysOf(env.API_KEY ?? null)
  const path = env.API_KEY_FILE?.trim()
  if (first !== undefined || !path) return first ?? null
  const file = readKeyFile('API_KEY_FILE', path)
  return 'keys' in file ? file.keys[0] : null
}
