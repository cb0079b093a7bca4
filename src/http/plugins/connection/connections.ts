/** The connections of a server, for its end: which of them have something that is still to be answered. */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** Turns of the event loop without anything new after which nothing is taken to be on its way. */
const QUIET_TURNS = 4

/** How long new connections and requests may keep `settle` from its end, in milliseconds. */
const MAX_SETTLE_MS = 1000

interface Requests {
  /** How many have not been answered. */
  unanswered: number
  /** The last one that came. */
  last: IncomingMessage | null
}

export class Connections {
  readonly #open = new Map<Socket, Requests>()
  /** Counts connections and requests. */
  #arrivals = 0

  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      this.#arrivals += 1
      this.#open.set(socket, { unanswered: 0, last: null })
      socket.once('close', () => this.#open.delete(socket))
    })
  }

  /** To be called for each request, before it is answered. */
  enter(request: IncomingMessage): void {
    this.#arrivals += 1
    const requests = this.#open.get(request.socket)
    // a request that is injected has no connection
    if (!requests) return
    requests.unanswered += 1
    requests.last = request
  }

  /** To be called when a request has been answered, or its client has gone. */
  leave({ socket }: IncomingMessage): void {
    const requests = this.#open.get(socket)
    if (requests) requests.unanswered -= 1
  }

  /**
   * Resolves once what had reached this machine when it was called has been read. Node accepts one connection in each turn
   * of its event loop and reads what it sends in the next, so that under load much of it is still in the system's hands.
   */
  async settle(): Promise<void> {
    const until = performance.now() + MAX_SETTLE_MS
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      if (turns >= QUIET_TURNS && performance.now() > until) return
      const before = this.#arrivals
      await turn()
      quiet = this.#arrivals === before ? quiet + 1 : 0
    }
  }

  /** Whether nothing but the request that is being answered has come on a connection, and nothing else has begun to. */
  isLast(socket: Socket): boolean {
    const requests = this.#open.get(socket)
    return !requests || (requests.unanswered <= 1 && !isArriving(socket, requests))
  }

  /** The connections on which a part of a request's headers has come. */
  arriving(): Socket[] {
    return [...this.#open].filter(([socket, requests]) => isArriving(socket, requests)).map(([socket]) => socket)
  }

  /** Closes a connection on which nothing is to be answered, and nothing has begun to come. */
  closeIfIdle(socket: Socket): void {
    const requests = this.#open.get(socket)
    if (requests?.unanswered === 0 && !isReceiving(socket)) socket.destroy()
  }

  /** The same, for all. */
  closeIdle(): void {
    for (const socket of this.#open.keys()) this.closeIfIdle(socket)
  }
}

/** Of a request that is there but for its body, the body is what is coming. */
function isArriving(socket: Socket, { last }: Requests): boolean {
  return isReceiving(socket) && last?.complete !== false
}

/**
 * Whether a part of a request has come on a connection. Node tells nobody of headers that are not whole; its parser knows
 * since when it reads a message (not documented: lib/_http_server.js, checkConnections, asks it too). Of a connection on
 * which nothing has come yet it says so as well.
 */
function isReceiving(socket: Socket): boolean {
  const { parser } = socket as Socket & { parser?: { duration?(): number } | null }
  return socket.bytesRead > 0 && (parser?.duration?.() ?? 0) > 0
}
