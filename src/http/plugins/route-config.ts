declare module 'fastify' {
  /** What a route says of itself, in its `config`, for the plugins to act on. */
  interface FastifyContextConfig {
    /** It needs no key: health, metrics, the API's description. */
    open?: boolean
    /** It is work: refused while the instance shuts down, and waited for. */
    work?: boolean
    /** Orchestrators and scrapers ask it every few seconds: it is logged at debug only. */
    probe?: boolean
  }
}

/** Asked for by machines, without a key. */
export const PROBE = { open: true, probe: true } as const
