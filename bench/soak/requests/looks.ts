/** What operators, probes and browsers ask for. */
import type { Kind } from './kind.js'

const PATHS = ['/', '/page/main.js', '/page/service.js', '/health', '/health/live', '/info', '/openapi.json'] as const

export const LOOKS: readonly Kind[] = [
  ...PATHS.map(
    (path): Kind => ({
      name: `GET ${path}`,
      weight: 0.7,
      expect: { statuses: [200] },
      prepare: () => ({ method: 'GET', path }),
    }),
  ),
  {
    name: 'GET /health/ready',
    weight: 2,
    expect: { statuses: [200], engine: true },
    prepare: () => ({ method: 'GET', path: '/health/ready' }),
  },
  {
    name: 'GET /metrics',
    weight: 1,
    expect: { statuses: [200] },
    prepare: ({ heard }) => ({
      method: 'GET',
      path: '/metrics',
      check: ({ body }) => {
        heard(body.toString())
        return null
      },
    }),
  },
]
