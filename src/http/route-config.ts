declare module 'fastify' {
  /** A route's `config`: what the plugins have to know about it. */
  interface FastifyContextConfig {
    /** No key is needed: health, metrics, the API's description. */
    open?: boolean
    /** A request is work: a shutdown waits for it, and refuses new ones. */
    work?: boolean
    /** The deadline is of this service's own work alone: a reply may stream for as long as bytes come. */
    stream?: boolean
    /** The key may also come as Anthropic's clients send it, in `x-api-key`. */
    anyKeyHeader?: boolean
    /** Largest body, in bytes, where that is not `MAX_BODY_BYTES`; it may be compressed, for it is passed on as it is. */
    maxBodyBytes?: number
    /** Orchestrators and scrapers ask every few seconds: requests are logged at debug only. */
    probe?: boolean
  }
}

/** The `config` of health and metrics. */
export const PROBE = { open: true, probe: true } as const
