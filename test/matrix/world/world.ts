/** What a row works with: services, checks that know the form it runs in, and an end for all that it began. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Reply } from './client.js'
import { assertAnswered, assertRefused, type Refusal, told } from './expect.js'
import type { Service, Start, Starter } from './service.js'

/**
 * long: `npm run matrix`, where times are asserted; busy: the same on a machine that others use too, where times are only
 * shown; short: within `npm test`, where neither times nor the growth of memory are asserted.
 */
export type Form = 'long' | 'busy' | 'short'

/** This machine cannot show the row; the message says what it lacks. */
export class Skipped extends Error {}

/** What a refusal of a wrong request may take, in milliseconds. */
const REFUSAL_MS = 500
/** What a box of a small picture may take, in milliseconds. */
const ANSWER_MS = 8000

interface Parts {
  readonly form: Form
  readonly starter: Starter
  /** The service with these variables that all rows share. */
  readonly shared: (env: Readonly<Record<string, string>>) => Promise<Service>
}

export class World {
  readonly form: Form
  /** The services that the row had. */
  readonly services = new Set<Service>()
  readonly #starter: Starter
  readonly #shared: Parts['shared']
  readonly #ends: (() => unknown)[] = []

  constructor({ form, starter, shared }: Parts) {
    this.form = form
    this.#starter = starter
    this.#shared = shared
  }

  /** The folder of the compiled service. */
  get compiled(): string {
    return this.#starter.folder
  }

  /** As many as the form wants. */
  times(long: number, short: number): number {
    return this.form === 'short' ? short : long
  }

  /** Calls this when the row has ended, the last one first. */
  teardown(end: () => unknown): void {
    this.#ends.push(end)
  }

  /** The service with these variables that all rows share; by default that with its defaults. */
  async shared(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    const service = await this.#shared(env)
    this.services.add(service)
    return service
  }

  /** A service for this row alone, once its models have answered. */
  async start(env: Readonly<Record<string, string>> = {}, more: Omit<Start, 'env'> = {}): Promise<Service> {
    const service = this.#own(await this.#starter.ready({ env, ...more }))
    return await service.remember()
  }

  /** A service for this row alone, of which nothing good is expected. */
  async startDoomed(env: Readonly<Record<string, string>>): Promise<Service> {
    return this.#own(await this.#starter.listening({ env }))
  }

  /** A new folder, removed with the row. */
  folder(): string {
    const folder = mkdtempSync(join(tmpdir(), 'matrix-'))
    this.teardown(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  /** That something took no longer than it may. Asserted in the long form alone: in the others more runs on the machine. */
  within(limitMs: number, ms: number, what: string): void {
    if (this.form === 'long') assert.ok(ms <= limitMs, `${what} took ${Math.round(ms)} ms, of at most ${limitMs}`)
  }

  /** That the reply is a refusal in time. @returns what was seen */
  refused(reply: Reply, wanted: Refusal | readonly Refusal[], limitMs = REFUSAL_MS): string {
    assertRefused(reply, typeof wanted === 'string' ? [wanted] : wanted)
    this.within(limitMs, reply.ms, 'the refusal')
    return told(reply)
  }

  /** That the reply is a box in time. @returns what was seen */
  answered(reply: Reply, limitMs = ANSWER_MS): string {
    assertAnswered(reply)
    this.within(limitMs, reply.ms, 'the box')
    return told(reply)
  }

  /** Ends what the row began, whether or not it failed. */
  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end()
  }

  #own(service: Service): Service {
    this.services.add(service)
    this.teardown(() => service.stop())
    return service
  }
}

/** Checks one case after the other. @returns what was seen of each. @throws AssertionError that names the case */
export async function each<Case>(
  cases: Readonly<Record<string, Case>>,
  check: (one: Case, name: string) => Promise<string> | string,
): Promise<string> {
  const seen: string[] = []
  for (const [name, one] of Object.entries(cases)) {
    try {
      seen.push(`${name}: ${await check(one, name)}`)
    } catch (error) {
      if (error instanceof assert.AssertionError) error.message = `${name}: ${error.message}`
      throw error
    }
  }
  return seen.join('; ')
}
