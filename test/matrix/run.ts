/** Runs one row: brings its fault about, then looks whether anything else was hurt. */
import { AssertionError } from 'node:assert'
import type { Row } from './row.js'
import { assertUnhurt } from './world/health.js'
import { Service, type Starter } from './world/service.js'
import { type Form, Skipped, World } from './world/world.js'

export interface Outcome {
  readonly row: Row
  readonly verdict: 'pass' | 'FAIL' | 'skip'
  /** What was seen, what is wrong, or why it was skipped. */
  readonly seen: string
  readonly ms: number
  /** What a failed row threw. */
  readonly error: unknown
}

/** Where rows run. */
export class Course {
  readonly #form: Form
  readonly #starter: Starter
  /** By the variables that they were started with, as JSON. */
  readonly #shared = new Map<string, Promise<Service>>()

  /** @param given A service that somebody has started, for the rows that need none of their own. */
  constructor(form: Form, starter: Starter, given: { url: string; pid: number } | null = null) {
    this.#form = form
    this.#starter = starter
    if (given) this.#shared.set('{}', new Service(given.url, given.pid, null).remember())
  }

  async run(row: Row): Promise<Outcome> {
    const start = performance.now()
    const world = new World({ form: this.#form, starter: this.#starter, shared: env => this.#service(env) })
    const outcome = (verdict: Outcome['verdict'], seen: string, error: unknown = null): Outcome => {
      return { row, verdict, seen, ms: performance.now() - start, error }
    }
    try {
      const seen = await row.run(world)
      const unhurt = await this.#examine(world, row)
      return outcome('pass', unhurt === '' ? seen : `${seen} (${unhurt})`)
    } catch (error) {
      if (error instanceof Skipped) return outcome('skip', error.message)
      const { message, stack = message } = error as Error
      return outcome('FAIL', error instanceof AssertionError ? message : stack, error)
    } finally {
      await world.end()
    }
  }

  async close(): Promise<void> {
    for (const service of this.#shared.values()) await (await service).stop()
  }

  /** The shared service with these variables, started anew where a row has ended it. */
  async #service(env: Readonly<Record<string, string>>): Promise<Service> {
    const key = JSON.stringify(env)
    const known = await this.#shared.get(key)
    if (known && known.ended === null) return known
    const service = this.#starter.ready({ env }).then(one => one.remember())
    this.#shared.set(key, service)
    return await service
  }

  /** Looks at all services that the row has left running. @returns by how much their processes have grown */
  async #examine(world: World, { ends }: Row): Promise<string> {
    const grown: string[] = []
    if (ends === 'service') return ''
    for (const service of world.services)
      if (service.before && service.ended === null)
        grown.push(
          await assertUnhurt(service, service.before, {
            engineEnded: ends === 'engine',
            boundsMemory: this.#form !== 'short',
          }),
        )
    return grown.join('; ')
  }
}
