import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { VERSION } from '../../version.js'

/** The page's own assets and nothing else. Without the plugin's upgrade-insecure-requests, which breaks it over HTTP. */
const CSP =
  "default-src 'self'; img-src 'self' data:; base-uri 'self'; frame-ancestors 'self'; object-src 'none'; form-action 'self'"

/** `/openapi.json`, made from the routes' schemas, and `/docs`, which shows it with its own assets alone. Register before the routes. */
export async function registerDocs(app: FastifyInstance, hasKey: boolean): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'CropVLM',
        version: VERSION,
        description: 'Finds the one region of an image worth zooming into to answer a question, and answers it.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
      security: hasKey ? [{ key: [] }] : [],
    },
  })
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: CSP, uiConfig: { validatorUrl: null } })
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger())
}
