/** Has V8 collect the garbage of every thread of a process, by the inspector (Chrome DevTools protocol) that SIGUSR1 starts. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebSocket } from 'undici'

/** Lets each process's inspector take a free port: SIGUSR1 would start all on one. */
export const INSPECTABLE = { NODE_OPTIONS: '--inspect-port=0' }

/** What Node prints once its inspector listens; an engine process's is in a line of the service's log. */
const LISTENING = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/[\w-]+)/g
const MAX_WAIT_MS = 10_000
const POLL_MS = 50
const COLLECT = 'HeapProfiler.collectGarbage'

interface Message {
  id?: number
  method?: string
  params?: { sessionId?: string; message?: string }
}

export class Collector {
  readonly #inspectors = new Map<number, Inspector>()

  /**
   * @param log Where the service's log goes.
   * @param maxWaitMs How long an inspector may take to start.
   */
  constructor(
    private readonly log: string,
    private readonly maxWaitMs = MAX_WAIT_MS,
  ) {}

  /** Collects what garbage there is. @throws Error where the process has no inspector, or does not answer */
  async collect(pid: number): Promise<void> {
    const known = this.#inspectors.get(pid)
    const inspector = known ?? (await Inspector.open(await this.#start(pid)))
    this.#inspectors.set(pid, inspector)
    await inspector.collect()
  }

  close(): void {
    for (const inspector of this.#inspectors.values()) inspector.close()
  }

  async #start(pid: number): Promise<string> {
    const before = this.#urls().length
    process.kill(pid, 'SIGUSR1')
    for (const end = performance.now() + this.maxWaitMs; performance.now() < end; await sleep(POLL_MS)) {
      const url = this.#urls()[before]
      if (url !== undefined) return url
    }
    throw new Error(`process ${pid} has started no inspector within ${this.maxWaitMs} ms`)
  }

  #urls(): string[] {
    return [...readFileSync(this.log, 'latin1').matchAll(LISTENING)].map(([, url]) => url as string)
  }
}

class Inspector {
  readonly #waiting = new Map<number, () => void>()
  readonly #threads = new Set<string>()
  #id = 0

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => this.#heard(JSON.parse(String(data))))
  }

  static async open(url: string): Promise<Inspector> {
    const socket = new WebSocket(url)
    await once(socket, 'open')
    const inspector = new Inspector(socket)
    // it tells of the threads that there are, and of those to come
    await inspector.#ask(id => inspector.#send(id, 'NodeWorker.enable', { waitForDebuggerOnStart: false }))
    return inspector
  }

  async collect(): Promise<void> {
    const inThread = (sessionId: string) => (id: number) =>
      this.#send(0, 'NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method: COLLECT }) })
    await Promise.all([...this.#threads].map(sessionId => this.#ask(inThread(sessionId))))
    await this.#ask(id => this.#send(id, COLLECT, {}))
  }

  close(): void {
    this.socket.close()
  }

  /** Sends something, and waits for the answer of that number. */
  #ask(send: (id: number) => void): Promise<void> {
    this.#id += 1
    const id = this.#id
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`an inspector has not answered within ${MAX_WAIT_MS} ms`)),
        MAX_WAIT_MS,
      )
      this.#waiting.set(id, () => {
        clearTimeout(timer)
        resolve()
      })
      send(id)
    })
  }

  #send(id: number, method: string, params: object): void {
    this.socket.send(JSON.stringify({ id, method, params }))
  }

  #heard({ id, method, params }: Message): void {
    if (method === 'NodeWorker.attachedToWorker') this.#threads.add(params?.sessionId ?? '')
    else if (method === 'NodeWorker.detachedFromWorker') this.#threads.delete(params?.sessionId ?? '')
    else if (method === 'NodeWorker.receivedMessageFromWorker') this.#heard(JSON.parse(params?.message ?? '{}'))
    else if (id !== undefined) {
      this.#waiting.get(id)?.()
      this.#waiting.delete(id)
    }
  }
}
