import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { readKeyFile } from '../../../config/access/key-file.js'
import type { Config } from '../../../config/service.js'

/** How often the file of keys is looked at, in milliseconds. */
const LOOK_MS = 5000

/** Letters of a key's id. */
const ID_LENGTH = 8

interface Key {
  /** The first letters of its SHA-256 in hex: it tells keys apart in the log, and not what they are. */
  id: string
  hash: Buffer
}

/**
 * The keys that callers may give. Hashes are compared, and always those of all keys, so that the time that this takes tells
 * nothing about any of them. Those of the file are read every few seconds: events of the file system do not come where a
 * link leads to another file, which is how Kubernetes replaces a secret.
 */
export class KeyRing {
  /** Whether a request needs a key at all; does not change while the service runs. */
  readonly isNeeded: boolean
  #keys: readonly Key[]
  readonly #fixed: readonly string[]
  readonly #log: FastifyBaseLogger
  readonly #timer: NodeJS.Timeout | undefined
  /** Why the file could not be read when it was last looked at; null if it could. */
  #problem: string | null = null

  constructor(
    { apiKeys, fixedApiKeys, apiKeyFile }: Pick<Config, 'apiKeys' | 'fixedApiKeys' | 'apiKeyFile'>,
    log: FastifyBaseLogger,
    lookMs = LOOK_MS,
  ) {
    this.isNeeded = apiKeys.length > 0
    this.#keys = hashed(apiKeys)
    this.#fixed = fixedApiKeys
    this.#log = log
    if (apiKeyFile !== null) this.#timer = setInterval(() => this.#readAgain(apiKeyFile), lookMs).unref()
  }

  get isOne(): boolean {
    return this.#keys.length === 1
  }

  /** The id of the key that `token` is; null where it is none. */
  idOf(token: string): string | null {
    const hash = sha256(token)
    let found: string | null = null
    for (const key of this.#keys) if (timingSafeEqual(hash, key.hash)) found = key.id
    return found
  }

  close(): void {
    clearInterval(this.#timer)
  }

  /** Takes the file's keys in the place of those that it held before; keeps those where it cannot be read. */
  #readAgain(path: string): void {
    const file = readKeyFile('API_KEY_FILE', path)
    const before = this.#problem
    this.#problem = 'problem' in file ? file.problem : null
    if ('problem' in file) {
      if (file.problem !== before) this.#log.error(`the keys stay as they were: ${file.problem}`)
      return
    }
    const keys = hashed([...this.#fixed, ...file.keys])
    if (isSame(keys, this.#keys)) return
    this.#keys = keys
    this.#log.info(
      { keys: this.#keys.map(({ id }) => id) },
      'API_KEY_FILE has changed, and its keys have been read again',
    )
    if (file.warning !== null) this.#log.warn(file.warning)
  }
}

function isSame(some: readonly Key[], others: readonly Key[]): boolean {
  return some.length === others.length && some.every(({ hash }, i) => others[i]?.hash.equals(hash))
}

function hashed(keys: readonly string[]): Key[] {
  return [...new Set(keys)].map(key => {
    const hash = sha256(key)
    return { id: hash.toString('hex').slice(0, ID_LENGTH), hash }
  })
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
