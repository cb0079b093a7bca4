import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'

/** The methods that are possible at a URL, in order; null where there are none. */
export type MethodsOf = (url: string) => readonly string[] | null

/** Refuses what no route answers, before its body is read. Call before the routes are added. */
export function addNotFound(app: FastifyInstance, methods: MethodsOf): void {
  app.addHook('onRequest', (request, reply, done) => {
    done(request.is404 ? unmatched(request, reply, methods) : undefined)
  })
  app.setNotFoundHandler(() => {
    throw notFound()
  })
}

/** Call before the routes are added. */
export function collectMethods(app: FastifyInstance): MethodsOf {
  const methods = new Map<string, Set<string>>()
  /** Where several routes answer a URL, all their methods are possible. */
  const routesOf = (path: string) =>
    [...methods].filter(([url]) => (url.endsWith('/*') ? path.startsWith(url.slice(0, -1)) : url === path))
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    methods.set(url, known)
  })
  return url => {
    const known = routesOf(url.split('?', 1)[0] ?? '').flatMap(([, some]) => [...some])
    return known.length > 0 ? [...new Set(known)].sort() : null
  }
}

/** 405 where the path is known with another method, else 404. */
function unmatched(request: FastifyRequest, reply: FastifyReply, methods: MethodsOf): CropVlmError {
  const allowed = methods(request.url)
  if (!allowed) return notFound()
  const list = allowed.join(', ')
  reply.header('allow', list)
  return new CropVlmError('method_not_allowed', `${request.method} is not possible here; use ${list}.`)
}

function notFound(): CropVlmError {
  return new CropVlmError('not_found', 'There is nothing at this path; GET /docs lists the routes.')
}
