declare module 'fastify' {
  /** A route's `config`: what the plugins have to know about it. */
  interface FastifyContextConfig {
    /** No key is needed: health, metrics, the API's description. */
    open?: boolean
    /** A request is work: a shutdown waits for it, and refuses new ones. */
    work?: boolean
    /** Orchestrators and scrapers ask every few seconds: requests are logged at debug only. */
    probe?: boolean
  }
}

/** The `config` of health and metrics. */
export const PROBE = { open: true, probe: true } as const
