/** The HTTP side, put together from its parts. It does not listen: addresses and signals are `main.ts`'s. */
import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import type { Config } from '../config/service.js'
import type { Cropper } from '../cropper/cropper.js'
import type { Engine } from '../engine/engine.js'
import { type ImageLinks, imageLinks } from '../links/links.js'
import { CropMemory } from '../proxy/crop/memory.js'
import { makeSender } from '../proxy/upstream/send.js'
import type { Target } from '../target/target.js'
import { startTracing } from '../tracing/tracing.js'
import { addAuth } from './plugins/auth/auth.js'
import { KeyRing } from './plugins/auth/key-ring.js'
import { addBodyBudget } from './plugins/body-budget.js'
import { onClientError } from './plugins/connection/client-error.js'
import { addExpectContinue } from './plugins/connection/expect-continue.js'
import { addHalfClosed } from './plugins/connection/half-closed.js'
import { addLingeringClose } from './plugins/connection/lingering-close.js'
import { limitConnections } from './plugins/connection/open-files.js'
import { addCors } from './plugins/cors.js'
import { addDeadlines } from './plugins/deadline.js'
import { addDrain, countRequests } from './plugins/drain.js'
import { sendError } from './plugins/errors.js'
import { guardLog, RequestLog } from './plugins/log.js'
import { addRequestMetrics, makeMetrics } from './plugins/metrics.js'
import { addNotFound, collectMethods } from './plugins/not-found.js'
import { registerDocs } from './plugins/openapi.js'
import { addTracing } from './plugins/tracing.js'
import { bodyError } from './request/body-error.js'
import { AJV_OPTIONS } from './request/validation.js'
import { answerRoute } from './routes/answer.js'
import { cropRoute } from './routes/crop.js'
import { healthRoutes } from './routes/health.js'
import { infoRoute } from './routes/info.js'
import { metricsRoute } from './routes/metrics.js'
import { pageRoutes } from './routes/page.js'
import { imageReader } from './routes/v1/images.js'
import { proxyRoutes } from './routes/v1/routes.js'

export interface AppParts {
  config: Config
  engine: Engine
  cropper: Cropper
  /** By name; the first is the default. Never empty. */
  targets: ReadonlyMap<string, Target>
  /** Default: those that the configuration allows. */
  links?: ImageLinks
  /** Default: JSON lines on stdout at the configured level. */
  log?: Logger
}

/** Load balancers commonly keep a connection for a minute. It is to be they who close it, so this is longer. */
const KEEP_ALIVE_MS = 65_000

export async function buildApp({ config, engine, cropper, targets, links, log }: AppParts): Promise<FastifyInstance> {
  const timeout = config.requestTimeoutMs
  const guarded = guardLog(log ?? pino({ level: config.logLevel }))
  const tracing = await startTracing(config.tracing, guarded)
  const loggerInstance: FastifyBaseLogger = guarded
  const app = Fastify({
    loggerInstance,
    logController: new RequestLog(config.trustProxy !== false),
    trustProxy: trustedProxies(config.trustProxy),
    genReqId: request => requestId(request.headers['x-request-id']),
    bodyLimit: config.maxBodyBytes,
    // these close the socket of a stalled request even if no handler runs for it yet
    requestTimeout: timeout + 5_000,
    connectionTimeout: timeout + 10_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { headersTimeout: Math.min(timeout, 20_000), requestTimeout: timeout, connectionsCheckingInterval: 1000 },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    ajv: { customOptions: AJV_OPTIONS },
    schemaErrorFormatter: bodyError,
    clientErrorHandler: onClientError,
    frameworkErrors: sendError,
  })
  app.setErrorHandler(sendError)
  // replies are held to their schemas by types and tests; Fastify's own serializers would be compiled for each status
  app.setSerializerCompiler(() => JSON.stringify)
  app.removeContentTypeParser('text/plain')

  limitConnections(app.server, app.log)
  for (const warning of config.warnings) app.log.warn(warning)
  const metrics = makeMetrics({ engine, cropper, targets, revision: config.gitRevision })
  const keys = new KeyRing(config, app.log)
  app.addHook('onClose', () => keys.close())
  // the hooks run in this order: what counts a request comes before what may refuse it
  const drain = countRequests(app)
  addHalfClosed(app)
  addTracing(app, tracing)
  addDeadlines(app, timeout)
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  addRequestMetrics(app, metrics)
  addLingeringClose(app)
  addExpectContinue(app)
  const methodsOf = collectMethods(app)
  addCors(app, config, methodsOf)
  addAuth(app, keys)
  addNotFound(app, methodsOf)
  addDrain(app, drain)
  addBodyBudget(app, config)
  await app.register(multipart)
  await registerDocs(app, keys.isNeeded)

  const zoom = { cropper, engine, observer: metrics.observer }
  const work = { config, zoom, links: links ?? imageLinks(config) }
  cropRoute(app, work)
  answerRoute(app, { ...work, targets })
  const sender = makeSender(config.proxies)
  app.addHook('onClose', () => sender.close())
  const { proxy: observer } = metrics
  const images = imageReader(work.links, observer.onFetched)
  const memory = new CropMemory(config.zoomCacheBytes)
  const finder = { zoom, config, images, memory, onLookup: observer.onLookup }
  await proxyRoutes(app, { config, targets, finder, sender, observer })
  healthRoutes(app, { engine, drain })
  metricsRoute(app, metrics)
  infoRoute(app, { config, engine, cropper, targets })
  await pageRoutes(app)
  return app
}

/** As Fastify takes it. A number is counted here: Fastify 5.12 believes nobody where it is given one. */
function trustedProxies(
  trusted: Config['trustProxy'],
): boolean | string[] | ((address: string, hop: number) => boolean) {
  if (typeof trusted === 'boolean') return trusted
  return typeof trusted === 'number' ? (_address, hop) => hop < trusted : [...trusted]
}

/** The caller's own id if it is safe to print and to send back, otherwise a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID()
}
