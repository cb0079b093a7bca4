/** Traces of requests, where an OpenTelemetry collector is configured. */
import type { Logger } from 'pino'
import type { TracingConfig } from '../config/tracing.js'
import { type Tracing, UNTRACED } from './request.js'

/**
 * Begins to record, or does not where no collector is configured: then OpenTelemetry's SDK is not even loaded.
 * @param config null: no collector.
 */
export async function startTracing(config: TracingConfig | null, log: Logger): Promise<Tracing> {
  if (config === null) return UNTRACED
  const { otelTracing } = await import('./otel/tracing.js')
  return otelTracing(config, log)
}
