import type { FastifyInstance, InjectOptions } from 'fastify'

/** The base of addresses that name none; nothing is looked up. */
const BASE = 'http://cropvlm.internal'

/**
 * A `fetch` that hands requests to the app itself. No port is opened and nothing leaves the process. Only the path and the
 * query of an address count. A reply's body is there as a whole: nothing streams.
 */
export function injectedFetch(app: FastifyInstance): typeof fetch {
  return async (input, init) => {
    const request = new Request(typeof input === 'string' ? new URL(input, BASE) : input, init)
    request.signal.throwIfAborted()
    const { pathname, search } = new URL(request.url)
    const body = request.body === null ? null : Buffer.from(await request.arrayBuffer())
    const reply = await app.inject({
      method: request.method as NonNullable<InjectOptions['method']>,
      url: `${pathname}${search}`,
      headers: Object.fromEntries(request.headers),
      signal: request.signal,
      ...(body === null ? {} : { payload: body }),
    })
    const headers = Object.entries(reply.headers).flatMap(([name, value]) =>
      [value].flat().flatMap(each => (each === undefined ? [] : [[name, String(each)] as [string, string]])),
    )
    const empty = reply.statusCode === 204 || reply.statusCode === 304
    return new Response(empty ? null : new Uint8Array(reply.rawPayload), { status: reply.statusCode, headers })
  }
}
