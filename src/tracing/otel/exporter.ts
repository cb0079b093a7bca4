import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-node'
import type { Logger } from 'pino'

/** While spans cannot be sent, the log says so once, and then at most this often, in milliseconds. */
const QUIET_MS = 600_000

/**
 * Tells of spans that cannot be sent, once and then rarely. To who hands the spans over, every outcome is a success: it
 * would report each failure by itself, and spans that are lost are no reason to do anything else.
 */
export class TellingExporter implements SpanExporter {
  readonly #exporter: SpanExporter
  readonly #collector: string
  readonly #log: Logger
  #lost = 0
  #toldAt: number | null = null

  /** @param url Of the collector; its user, password and path are not told. */
  constructor(exporter: SpanExporter, url: string, log: Logger) {
    this.#exporter = exporter
    this.#collector = new URL(url).origin
    this.#log = log
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#exporter.export(spans, ({ code, error }) => {
      if (code === ExportResultCode.SUCCESS) this.#recovered()
      else this.#failed(spans.length, error)
      done({ code: ExportResultCode.SUCCESS })
    })
  }

  forceFlush(): Promise<void> {
    return this.#exporter.forceFlush?.() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.#exporter.shutdown()
  }

  #failed(spans: number, error: Error | undefined): void {
    this.#lost += spans
    const now = performance.now()
    if (this.#toldAt !== null && now - this.#toldAt < QUIET_MS) return
    this.#toldAt = now
    this.#log.warn(
      { collector: this.#collector, lost: this.#lost, reason: reasonOf(error) },
      'spans cannot be sent to the collector, and are lost; start it, set OTEL_EXPORTER_OTLP_ENDPOINT to where it takes OTLP by HTTP (commonly port 4318), or unset that',
    )
  }

  #recovered(): void {
    if (this.#toldAt === null) return
    this.#toldAt = null
    this.#log.info({ collector: this.#collector, lost: this.#lost }, 'spans are sent to the collector again')
    this.#lost = 0
  }
}

/** The error's code (a status, or ECONNREFUSED and the like), else its text, which the exporter wrote. */
function reasonOf(error: Error | undefined): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'number') return `status ${code}`
  return typeof code === 'string' ? code : (error?.message ?? 'it refuses them')
}
