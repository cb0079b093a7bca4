/** The HTTP side, put together from its parts. It does not listen: addresses and signals are `main.ts`'s. */
import { randomUUID } from 'node:crypto'
import multipart from '@fastify/multipart'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import type { Config } from '../config/service.js'
import type { Engine } from '../engine/parent/client.js'
import type { Target } from '../target/targets.js'
import { onClientError } from './plugins/client-error.js'
import { Drain } from './plugins/drain.js'
import { sendError } from './plugins/errors.js'
import { addHooks } from './plugins/hooks.js'
import { guardLog, RequestLog } from './plugins/log.js'
import { makeMetrics } from './plugins/metrics.js'
import { registerDocs } from './plugins/openapi.js'
import { bodyError } from './request/body-error.js'
import { AJV_OPTIONS } from './request/validation.js'
import { answerRoute } from './routes/answer.js'
import { cropRoute } from './routes/crop.js'
import { healthRoutes } from './routes/health.js'
import { infoRoute } from './routes/info.js'
import { metricsRoute } from './routes/metrics.js'

export interface AppParts {
  config: Config
  engine: Engine
  /** By name; the first is the default. Never empty. */
  targets: ReadonlyMap<string, Target>
  /** Default: JSON lines on stdout at the configured level. */
  log?: Logger
}

/** Longer than the minute that load balancers commonly keep a connection, so that they, not we, close it. */
const KEEP_ALIVE_MS = 65_000

export async function buildApp({ config, engine, targets, log }: AppParts): Promise<FastifyInstance> {
  const timeout = config.requestTimeoutMs
  const loggerInstance: FastifyBaseLogger = guardLog(log ?? pino({ level: config.logLevel }))
  const app = Fastify({
    loggerInstance,
    logController: new RequestLog(),
    genReqId: request => requestId(request.headers['x-request-id']),
    bodyLimit: config.maxBodyBytes,
    // of the socket: a stalled request is closed even where no handler runs for it yet
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

  const metrics = makeMetrics(engine)
  const drain = new Drain()
  app.decorate('drain', () => drain.wait())
  addHooks(app, { config, metrics, drain })
  await app.register(multipart)
  await registerDocs(app, config.apiKey !== null)

  const work = { config, engine, metrics, targets }
  cropRoute(app, work)
  answerRoute(app, work)
  healthRoutes(app, { engine, drain })
  metricsRoute(app, metrics)
  infoRoute(app, work)
  return app
}

/** The caller's own id where it is safe to print and to send back, else a new one. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:/+=-]{1,128}$/.test(given) ? given : randomUUID()
}
