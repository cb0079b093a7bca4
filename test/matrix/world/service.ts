/** The service in a process of its own, started as `npm start` does. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ROOT } from '../../../bench/root.js'
import { Client } from './client.js'
import { type Health, healthOf } from './health.js'

export interface Start {
  /** Variables besides the defaults. */
  readonly env?: Readonly<Record<string, string>>
  /** The program: arguments of Node. Default: `main.js` of the compiled service. */
  readonly program?: readonly string[]
  /** What `env` makes it ask its callers for. Default: nothing. */
  readonly key?: string | null
}

/** A line of the log. */
type Line = Readonly<Record<string, unknown>>

interface Known {
  lines: readonly Line[]
  key?: string | null
}

export class Service extends Client {
  readonly pid: number
  /** Exit code, or the signal that ended it. */
  readonly exit: Promise<number | string>
  readonly lines: readonly Line[]
  /** How it was when it was whole; null where nobody looked. */
  before: Health | null = null
  #ended: number | string | null = null
  #process: ChildProcess | null

  /** @param process null: one that somebody else started. */
  constructor(url: string, pid: number, process: ChildProcess | null, { lines, key = null }: Known = { lines: [] }) {
    super(url, key)
    this.pid = pid
    this.lines = lines
    this.#process = process
    this.exit = process ? endOf(process) : new Promise(() => {})
    void this.exit.then(end => {
      this.#ended = end
    })
  }

  /** Exit code or signal; null while it runs. */
  get ended(): number | string | null {
    return this.#ended
  }

  /** Looks at it while nothing has been done to it. Asks for a box first, after which all that it needs has been loaded. */
  async remember(): Promise<this> {
    this.before = await healthOf(this)
    return this
  }

  /** All of the log so far. */
  get log(): string {
    return this.lines.map(line => JSON.stringify(line)).join('\n')
  }

  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal)
  }

  async stop(): Promise<void> {
    if (this.#process === null) return
    if (this.#ended === null) this.#process.kill('SIGKILL')
    await this.exit
  }
}

/** Starts services from one compiled folder. */
export class Starter {
  readonly #folder: string
  readonly #graphs: string

  /**
   * @param folder The one with `main.js`.
   * @param graphs Where optimised graphs are kept, so that only the first start makes them.
   */
  constructor(folder: string, graphs: string) {
    this.#folder = folder
    this.#graphs = graphs
  }

  get folder(): string {
    return this.#folder
  }

  /**
   * Resolves once the models have answered.
   * @throws Error with the end of its log, where it ends before
   */
  async ready(start: Start = {}): Promise<Service> {
    return await this.#spawn(start, 'ready; try')
  }

  /** Resolves once it listens, whatever becomes of its models; or once it has ended. */
  async listening(start: Start = {}): Promise<Service> {
    return await this.#spawn(start, 'Server listening at').catch(error => {
      if (error instanceof EndedEarly) return error.service
      throw error
    })
  }

  async #spawn(
    { env = {}, program = [`${this.#folder}/main.js`], key = null }: Start,
    awaited: string,
  ): Promise<Service> {
    const { PATH = '', HOME = '' } = process.env
    const child = spawn(process.execPath, ['--enable-source-maps', ...program], {
      cwd: ROOT,
      // nothing else of this process's environment, which tap and its reporters have filled
      env: { PATH, HOME, NO_PROXY: '*', PORT: '0', GRAPH_CACHE_DIR: this.#graphs, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const lines: Line[] = []
    const [output, errors] = [child.stdout, child.stderr].map(input => createInterface({ input }))
    output?.on('line', line => lines.push(parsed(line)))
    errors?.on('line', line => lines.push({ stderr: line }))
    const ended = endOf(child)
    const service = (url: string) => new Service(url, child.pid ?? 0, child, { lines, key })
    for (;;) {
      const found = lines.find(({ msg }) => String(msg).includes(awaited))
      if (found) return service(addressIn(lines))
      const outcome = await Promise.race([output ? once(output, 'line') : ended, ended])
      if (!Array.isArray(outcome)) {
        const end = service('http://127.0.0.1:9')
        await end.exit
        throw new EndedEarly(end)
      }
    }
  }
}

class EndedEarly extends Error {
  readonly service: Service

  constructor(service: Service) {
    super(`the service ended before it was ready: ${service.log.slice(-600)}`)
    this.service = service
  }
}

const ends = new WeakMap<ChildProcess, Promise<number | string>>()

/** One promise for each process: `close` comes once. */
function endOf(child: ChildProcess): Promise<number | string> {
  const known = ends.get(child)
  if (known) return known
  const end = once(child, 'close').then(([code, signal]) => code ?? signal)
  ends.set(child, end)
  return end
}

function parsed(line: string): Line {
  try {
    return JSON.parse(line)
  } catch {
    return { stdout: line }
  }
}

function addressIn(lines: readonly Line[]): string {
  for (const { msg } of lines) {
    const [, url] = /^Server listening at (http:\S+)$/.exec(String(msg)) ?? []
    if (url !== undefined) return url
  }
  throw new Error('the log does not say where the service listens')
}
