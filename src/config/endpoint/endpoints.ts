/** How endpoints are dealt with that are slow to start, or down: those of targets, and of a VLM that finds the boxes. */
import { Type } from '@sinclair/typebox'
import { TIMEOUT } from '../target/entry.js'

export const ENDPOINT_VARIABLES = {
  firstTimeoutMs: Type.Integer({
    env: 'TARGET_FIRST_TIMEOUT_MS',
    default: 120_000,
    ...TIMEOUT,
    description:
      'How long a call of an endpoint may take that has not answered yet: it may be loading its model. REQUEST_TIMEOUT_MS ends the request all the same.',
  }),
  targetWarmup: Type.Boolean({
    env: 'TARGET_WARMUP',
    default: false,
    description: 'on asks each endpoint target once at start, in the background, so that it has loaded its model.',
  }),
  breakerFailures: Type.Integer({
    env: 'TARGET_BREAKER_FAILURES',
    default: 3,
    minimum: 0,
    maximum: 1000,
    unit: 'failures',
    description:
      'Failures in a row (no connection, a timeout, a status of 500 or above) after which an endpoint is not asked for TARGET_BREAKER_MS: requests that need it fail at once; 0 asks always.',
  }),
  breakerMs: Type.Integer({
    env: 'TARGET_BREAKER_MS',
    default: 10_000,
    ...TIMEOUT,
    description: 'For how long an endpoint that is down is not asked; then one call is let through.',
  }),
}
