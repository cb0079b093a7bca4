import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Engine } from '../../engine/engine.js'
import { CropVlmError, draining } from '../../errors.js'
import type { Drain } from '../plugins/drain.js'
import { errorReplies, jsonReply, MALFORMED } from '../reply/error-schema.js'
import { PROBE } from '../route-config.js'

const status = <T extends string>(value: T) =>
  jsonReply(`It is ${value}.`, Type.Object({ status: Type.Literal(value) }))

/** What the routes here have in common in the document. */
const OPEN = { tags: ['service'], security: [] }

/** `GET /health/live` (alias `/health`) and `GET /health/ready`. */
export function healthRoutes(app: FastifyInstance, { engine, drain }: { engine: Engine; drain: Drain }): void {
  for (const [url, operationId, description] of [
    ['/health', 'getHealth', 'The same as /health/live.'],
    ['/health/live', 'getLive', 'Answers while the process runs, also while it shuts down.'],
  ] as const) {
    const response = { 200: status('live'), ...errorReplies(MALFORMED) }
    const schema = { ...OPEN, operationId, summary: 'Whether the process runs', description, response }
    app.get(url, { config: PROBE, schema }, async () => ({ status: 'live' }))
  }
  const schema = {
    ...OPEN,
    operationId: 'getReady',
    summary: 'Whether requests can be answered',
    description: 'Answers 200 once the models have really answered, and until the service shuts down.',
    response: {
      200: status('ready'),
      ...errorReplies({ ...MALFORMED, 503: 'Loading, draining, or the engine is down.' }),
    },
  }
  app.get('/health/ready', { config: PROBE, schema }, async () => {
    if (drain.draining) throw draining()
    switch (engine.state) {
      case 'ready':
        return { status: 'ready' }
      case 'loading':
        throw new CropVlmError('not_ready', `The models are still loading${now(engine)}.`)
      case 'restarting':
        throw new CropVlmError('engine_unavailable', `The engine process died and is being restarted${now(engine)}.`)
      case 'draining':
        throw draining()
      case 'stopped':
        throw new CropVlmError('engine_unavailable', 'The engine process has stopped; the log has the reason.')
    }
  })
}

/** What the engine is doing while it starts. */
function now({ step }: Engine): string {
  return step === null ? '' : `; it is ${step}`
}
