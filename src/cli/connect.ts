/** The service that a command asks: a running one, or one of its own inside this process. */
import { CropVlmClient } from '../client/client.js'
import { keyToSend } from '../config/access/key-to-send.js'
import { CropVlmError } from '../errors.js'
import { CliError, EXIT } from './command.js'
import { ENV_FILE_OPTION, environment } from './environment.js'
import type { World } from './spec.js'

/** Options of every command that asks a service. */
export const SERVICE_OPTIONS = {
  url: {
    value: 'URL',
    meaning: 'A running service, such as http://127.0.0.1:8080; without it one is started in this process.',
  },
  'env-file': ENV_FILE_OPTION,
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
 * Connects to the service at `url` with the first key in API_KEY or API_KEY_FILE, or starts one, which the environment and
 * its file configure, and waits until its models are loaded. Its log goes to stderr, warnings and worse unless LOG_LEVEL says otherwise.
 * @throws CliError usage: the configuration is wrong; failed: its models cannot be loaded; what the signal was aborted with
 */
export async function connect(url: string | undefined, timeoutMs: number, world: World): Promise<Connection> {
  return url === undefined ? start(timeoutMs, world) : remote(url, timeoutMs, world)
}

function remote(url: string, timeoutMs: number, { env }: World): Connection {
  if (!/^https?:\/\//.test(url))
    throw new CliError(EXIT.usage, `--url is "${url}", but must be a URL such as http://127.0.0.1:8080.`)
  const apiKey = keyToSend(env)
  const baseUrl = url.replace(/\/+$/, '')
  return {
    client: new CropVlmClient({ baseUrl, timeoutMs, ...(apiKey === null ? {} : { apiKey }) }),
    send: (path, init) => fetch(`${baseUrl}${path}`, withKey(init, apiKey)),
    url: baseUrl,
    close: async () => {},
  }
}

async function start(timeoutMs: number, world: World): Promise<Connection> {
  const configured = await environment(world)
  const level = configured.LOG_LEVEL?.trim() || 'warn'
  // nobody else can reach it, so it needs no key
  const env = { ...configured, LOG_LEVEL: level, API_KEY: '', API_KEY_FILE: '' }
  // loaded here, so that --help and --version do not wait for the service's modules
  const [{ createService }, { pino }] = await Promise.all([import('../service.js'), import('pino')])
  try {
    const log = pino({ level }, { write: line => void world.stderr.write(shown(line, configured, world)) })
    // a command asks at once: a warm-up would only come before its first answer
    const service = await createService({ env, log, warmUp: false })
    await unlessAborted(service.ready, world.signal).catch(async error => {
      await service.close()
      throw error
    })
    return {
      client: new CropVlmClient({ fetch: service.fetch, timeoutMs }),
      send: service.fetch,
      url: null,
      close: async () => void (await service.close()),
    }
  } catch (error) {
    if (!(error instanceof CropVlmError)) throw error
    throw new CliError(error.code === 'invalid_config' ? EXIT.usage : EXIT.failed, error.message, error)
  }
}

/**
 * A line of the log as the command shows it: on a terminal for a person. What it tells of a request, the reply tells the
 * command; it is shown only where LOG_LEVEL asks for the log.
 */
function shown(line: string, { LOG_LEVEL }: World['env'], { stderr }: World): string {
  const { level, msg, reqId } = JSON.parse(line) as { level: number; msg?: string; reqId?: string }
  if (reqId !== undefined && !LOG_LEVEL?.trim()) return ''
  if (!stderr.isTTY) return line
  return `${level >= 50 ? 'error' : level >= 40 ? 'warning' : 'note'}: ${msg ?? line.trim()}\n`
}

/** The promise's value. @throws what the signal is aborted with, as soon as it is */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let stop = () => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  return Promise.race([promise, aborted]).finally(() => signal.removeEventListener('abort', stop))
}

function withKey(init: RequestInit = {}, apiKey: string | null): RequestInit {
  if (apiKey === null) return init
  return { ...init, headers: { ...(init.headers as Record<string, string>), authorization: `Bearer ${apiKey}` } }
}
