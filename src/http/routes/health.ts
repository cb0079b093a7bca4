import type { FastifyInstance } from 'fastify'
import type { Engine } from '../../engine/engine.js'
import { CropVlmError, draining } from '../../errors.js'
import type { Drain } from '../plugins/drain.js'
import { PROBE } from '../plugins/route-config.js'
import { errorReplies } from '../reply/schemas.js'

const status = (value: string) => ({
  description: 'OK',
  type: 'object',
  properties: { status: { type: 'string', enum: [value] } },
  required: ['status'],
})

/** `GET /health/live` (alias `/health`) and `GET /health/ready`. */
export function healthRoutes(app: FastifyInstance, { engine, drain }: { engine: Engine; drain: Drain }): void {
  for (const url of ['/health', '/health/live'])
    app.get(
      url,
      {
        config: PROBE,
        schema: { summary: 'Whether the process runs', security: [], response: { 200: status('live') } },
      },
      async () => ({ status: 'live' }),
    )
  const response = { 200: status('ready'), ...errorReplies({ 503: 'Loading, draining, or the engine is down.' }) }
  const schema = { summary: 'Whether requests can be answered', security: [], response }
  app.get('/health/ready', { config: PROBE, schema }, async () => {
    if (drain.draining) throw draining()
    switch (engine.state) {
      case 'ready':
        return { status: 'ready' }
      case 'loading':
        throw new CropVlmError('not_ready', 'The models are still loading.')
      case 'restarting':
        throw new CropVlmError('engine_unavailable', 'The engine process died and is being restarted.')
      case 'draining':
        throw draining()
      case 'stopped':
        throw new CropVlmError('engine_unavailable', 'The engine process has stopped; the log has the reason.')
    }
  })
}
