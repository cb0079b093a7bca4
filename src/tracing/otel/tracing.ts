/** The one place that sets OpenTelemetry up. Nothing is registered globally: a program around this service may have its own. */
import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_ROUTE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions'
import type { Logger } from 'pino'
import type { TracingConfig } from '../../config/tracing.js'
import { VERSION } from '../../version.js'
import type { Incoming, Tracing } from '../request.js'
import type { Attributes } from '../span.js'
import { TellingExporter } from './exporter.js'
import { samplerOf } from './sampler.js'
import { KINDS, RecordedSpan } from './span.js'

/** How long the last spans may take to be sent when the service ends, in milliseconds. */
const LAST_SPANS_MS = 2000

export function otelTracing(config: TracingConfig, log: Logger): Tracing {
  const { url, headers, serviceName, resource, notes } = config
  for (const note of notes) log.warn(note)
  const exporter = new TellingExporter(new OTLPTraceExporter({ url, headers: { ...headers } }), url, log)
  const own = { [ATTR_SERVICE_VERSION]: VERSION, ...resource, [ATTR_SERVICE_NAME]: serviceName }
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(resourceFromAttributes(own)),
    sampler: samplerOf(config),
    spanProcessors: [new BatchSpanProcessor(exporter)],
  })
  const tracer = provider.getTracer('cropvlm', VERSION)
  const propagator = new W3CTraceContextPropagator()
  log.info({ collector: new URL(url).origin }, 'requests are traced')
  return {
    begin(incoming) {
      const parent = propagator.extract(ROOT_CONTEXT, incoming.headers, defaultTextMapGetter)
      const origin = Date.now() - performance.now()
      const { method, route } = incoming
      const span = tracer.startSpan(
        route === undefined ? method : `${method} ${route}`,
        { kind: KINDS.server, attributes: attributesOf(incoming), startTime: origin + performance.now() },
        parent,
      )
      return new RecordedSpan(span, 'server', parent, {
        tracer,
        inject: (context, carrier) => propagator.inject(context, carrier, defaultTextMapSetter),
        requestId: incoming.id,
        origin,
      })
    },
    close: () => atMost(LAST_SPANS_MS, provider.shutdown()),
  }
}

/** By the semantic conventions of HTTP servers. The query is left out, and so are all headers but the client's name of itself. */
function attributesOf({ id, headers, method, route, path, whence, httpVersion }: Incoming): Attributes {
  const { scheme, host, client } = whence()
  const { hostname, port } = hostOf(host, scheme)
  const agent = headers['user-agent']
  return {
    [ATTR_HTTP_REQUEST_METHOD]: method,
    [ATTR_HTTP_ROUTE]: route,
    [ATTR_URL_PATH]: path,
    [ATTR_URL_SCHEME]: scheme,
    [ATTR_SERVER_ADDRESS]: hostname,
    [ATTR_SERVER_PORT]: port,
    [ATTR_CLIENT_ADDRESS]: client,
    [ATTR_NETWORK_PROTOCOL_VERSION]: httpVersion,
    [ATTR_USER_AGENT_ORIGINAL]: typeof agent === 'string' ? agent : undefined,
    'cropvlm.request.id': id,
  }
}

/** Nothing where the caller names no host, or none that is one. */
function hostOf(host: string, scheme: string): { hostname?: string; port?: number } {
  const text = `${scheme}://${host}`
  if (host === '' || !URL.canParse(text)) return {}
  const { hostname, port } = new URL(text)
  return { hostname, ...(port === '' ? {} : { port: Number(port) }) }
}

/** Waits for `work`, for `ms` milliseconds at most. What it throws has been told by the exporter. */
async function atMost(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms)
  })
  await Promise.race([work.catch(() => {}), over])
  clearTimeout(timer)
}
