import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../plugins/metrics.js'
import { errorReplies, MALFORMED } from '../reply/error-schema.js'
import { PROBE } from '../route-config.js'

/** `GET /metrics`, in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  const schema = {
    operationId: 'getMetrics',
    tags: ['service'],
    summary: "Prometheus' metrics",
    description: "Counts and times in Prometheus' text format.",
    security: [],
    response: {
      200: { description: 'Text.', content: { 'text/plain': { schema: { type: 'string' } } } },
      ...errorReplies(MALFORMED),
    },
  }
  app.get('/metrics', { config: PROBE, schema }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
