import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../plugins/metrics.js'
import { PROBE } from '../plugins/route-config.js'

/** `GET /metrics`, in Prometheus' text format. */
export function metricsRoute(app: FastifyInstance, { registry }: Metrics): void {
  const schema = {
    summary: "Prometheus' metrics",
    security: [],
    response: { 200: { description: 'Text.', content: { 'text/plain': { schema: { type: 'string' } } } } },
  }
  app.get('/metrics', { config: PROBE, schema }, async (_request, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  )
}
