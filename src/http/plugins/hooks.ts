/** What every request goes through before its route and after its reply. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Config } from '../../config/service.js'
import { CropVlmError } from '../../errors.js'
import { tooLarge } from '../request/form.js'
import { keyCheck } from './auth.js'
import { BodyBudget } from './body-budget.js'
import { addCallers } from './deadline.js'
import type { Drain } from './drain.js'
import { linger } from './lingering-close.js'
import type { Metrics } from './metrics.js'

interface Parts {
  config: Config
  metrics: Metrics
  drain: Drain
}

/** Call before the routes are added. */
export function addHooks(app: FastifyInstance, { config, metrics, drain }: Parts): void {
  const methods = collectMethods(app)
  const checkKey = keyCheck(config.apiKey)
  const measure = measurer(metrics)
  const bodies = new BodyBudget(config)

  addCallers(app, config.requestTimeoutMs)
  app.setNotFoundHandler(() => {
    throw new CropVlmError('not_found', 'There is nothing at this path; GET /docs lists the routes.')
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    measure(request, reply)
    checkKey(request)
    if (request.is404) throw unmatched(request, reply, methods)
    if (request.method === 'POST') drain.enter(reply)
    checkHeaders(request, config)
    bodies.enter(request, reply)
  })
  app.addHook('onSend', async (request, reply) => {
    linger(request, reply)
    if (drain.draining) reply.header('connection', 'close')
  })
  app.addHook('preClose', async () => {
    // whoever closes the app without draining it first still refuses what comes in on open connections
    void drain.wait()
  })
}

/** Before a byte of the body is read. */
function checkHeaders({ headers }: FastifyRequest, { maxBodyBytes }: Config): void {
  if (Number(headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
  const encoding = headers['content-encoding']
  if (encoding !== undefined && encoding !== 'identity')
    throw new CropVlmError(
      'unsupported_content_type',
      'Compressed bodies are not read; send it without Content-Encoding.',
    )
}

function measurer({ inFlight, requests, requestDuration }: Metrics) {
  return (request: FastifyRequest, reply: FastifyReply) => {
    const route = request.routeOptions.url ?? 'unmatched'
    inFlight.inc()
    let done = false
    const finish = (status: number) => {
      if (done) return
      done = true
      inFlight.dec()
      requests.inc({ route, status: String(status) })
      requestDuration.observe({ route }, reply.elapsedTime / 1000)
    }
    reply.raw.once('finish', () => finish(reply.raw.statusCode))
    reply.raw.once('close', () => finish(499))
  }
}

function collectMethods(app: FastifyInstance): ReadonlyMap<string, ReadonlySet<string>> {
  const methods = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set()
    for (const one of [method].flat()) known.add(one)
    methods.set(url, known)
  })
  return methods
}

/** 405 where the path is known with another method, else 404. */
function unmatched(
  request: FastifyRequest,
  reply: FastifyReply,
  methods: ReadonlyMap<string, ReadonlySet<string>>,
): CropVlmError {
  const allowed = methods.get(request.url.split('?', 1)[0] ?? '')
  if (!allowed) return new CropVlmError('not_found', 'There is nothing at this path; GET /docs lists the routes.')
  const list = [...allowed].sort().join(', ')
  reply.header('allow', list)
  return new CropVlmError('method_not_allowed', `${request.method} is not possible here; use ${list}.`)
}
