/** The service that a command asks: a running one, or one of its own inside this process. */
import { pino } from 'pino'
import { CropVlmClient } from '../client/client.js'
import { keyToSend } from '../config/access/keys.js'
import { CropVlmError } from '../errors.js'
import { createService } from '../service.js'
import { CliError, EXIT } from './command.js'
import type { World } from './spec.js'

/** Options of every command that asks a service. */
export const SERVICE_OPTIONS = {
  url: {
    value: 'URL',
    meaning: 'A running service, such as http://127.0.0.1:8080; without it one is started in this process.',
  },
  timeout: { value: 'SECONDS', default: '120', meaning: 'How long one request may take.' },
} as const

export interface Connection {
  client: CropVlmClient
  /** As `fetch`, for what the client has no method for; addresses are paths such as /answer. */
  send(path: string, init?: RequestInit): Promise<Response>
  /** The running service's address; null for a service in this process. */
  url: string | null
  /** Ends a service in this process. */
  close(): Promise<void>
}

/**
 * Connects to the service at `url` with the first key in API_KEY or API_KEY_FILE, or starts one, which the environment configures, and waits
 * until its models are loaded. Its log goes to stderr, warnings and worse unless LOG_LEVEL says otherwise.
 * @throws CliError usage: the configuration is wrong; failed: its models cannot be loaded
 */
export async function connect(url: string | undefined, timeoutMs: number, world: World): Promise<Connection> {
  const apiKey = keyToSend(world.env)
  if (url !== undefined) {
    if (!/^https?:\/\//.test(url))
      throw new CliError(EXIT.usage, `--url is "${url}", but must be a URL such as http://127.0.0.1:8080.`)
    const baseUrl = url.replace(/\/+$/, '')
    return {
      client: new CropVlmClient({ baseUrl, timeoutMs, ...(apiKey === null ? {} : { apiKey }) }),
      send: (path, init) => fetch(`${baseUrl}${path}`, withKey(init, apiKey)),
      url: baseUrl,
      close: async () => {},
    }
  }
  try {
    const level = world.env.LOG_LEVEL?.trim() || 'warn'
    // nobody else can reach it, so it needs no key
    const env = { ...world.env, LOG_LEVEL: level, API_KEY: '', API_KEY_FILE: '' }
    const log = pino({ level }, { write: line => void world.stderr.write(line) })
    const service = await createService({ env, log })
    await service.ready.catch(async error => {
      await service.close()
      throw error
    })
    return {
      client: new CropVlmClient({ fetch: service.fetch, timeoutMs }),
      send: service.fetch,
      url: null,
      close: () => service.close(),
    }
  } catch (error) {
    if (!(error instanceof CropVlmError)) throw error
    throw new CliError(error.code === 'invalid_config' ? EXIT.usage : EXIT.failed, error.message, error)
  }
}

function withKey(init: RequestInit = {}, apiKey: string | null): RequestInit {
  if (apiKey === null) return init
  return { ...init, headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${apiKey}` } }
}
