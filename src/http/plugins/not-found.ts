import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'

type Methods = ReadonlyMap<string, ReadonlySet<string>>

/** Refuses what no route answers, before its body is read. Call before the routes are added. */
export function addNotFound(app: FastifyInstance): void {
  const methods = collectMethods(app)
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404) throw unmatched(request, reply, methods)
  })
  app.setNotFoundHandler(() => {
    throw notFound()
  })
}

function collectMethods(app: FastifyInstance): Methods {
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    methods.set(url, known)
  })
  return methods
}

/** 405 where the path is known with another method, else 404. */
function unmatched(request: FastifyRequest, reply: FastifyReply, methods: Methods): CropVlmError {
  const allowed = methods.get(request.url.split('?', 1)[0] ?? '')
  if (!allowed) return notFound()
  const list = [...allowed].sort().join(', ')
  reply.header('allow', list)
  return new CropVlmError('method_not_allowed', `${request.method} is not possible here; use ${list}.`)
}

function notFound(): CropVlmError {
  return new CropVlmError('not_found', 'There is nothing at this path; GET /docs lists the routes.')
}
