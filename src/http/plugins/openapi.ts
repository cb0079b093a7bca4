import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { VERSION } from '../../version.js'
import { documented, forPage } from '../openapi-document.js'
import { ERROR_REPLY, errorReplies, jsonReply, MALFORMED } from '../reply/error-schema.js'
import { NAMED_INFO } from '../reply/info-schema.js'
import { NAMED_REPLIES } from '../reply/schemas.js'
import { IMAGE_LINK, IMAGE_SOURCE, IMAGE_URL } from '../request/body-schema.js'

/** The page's own assets and nothing else. Without the plugin's upgrade-insecure-requests, which breaks it over HTTP. */
const CSP =
  "default-src 'self'; img-src 'self' data:; base-uri 'self'; frame-ancestors 'self'; object-src 'none'; form-action 'self'"

const KEY = { type: 'http', scheme: 'bearer', description: 'The API_KEY of this service.' } as const

const TAGS = [
  { name: 'zoom', description: 'Where to look in an image to answer a question, and the answer.' },
  { name: 'service', description: 'What runs here, and how it does.' },
]

/**
 * `/openapi.json`, made from the routes' schemas, and `/docs`, which shows it with its own assets alone. Both need no
 * key, and all their addresses are relative, so that they work behind a proxy's path prefix. Register before the routes.
 */
export async function registerDocs(app: FastifyInstance, hasKey: boolean): Promise<void> {
  for (const schema of [...NAMED_REPLIES, ERROR_REPLY, ...NAMED_INFO, IMAGE_URL, IMAGE_SOURCE, IMAGE_LINK])
    app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'CropVLM',
        version: VERSION,
        description: 'Finds the one region of an image worth zooming into to answer a question, and answers it.',
        contact: { name: 'CropVLM' },
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      // relative to the address of the document
      servers: [{ url: '.', description: 'Where this document is.' }],
      tags: TAGS,
      components: hasKey ? { securitySchemes: { key: KEY } } : {},
      security: hasKey ? [{ key: [] }] : [],
    },
    // would parse the server's address, which is relative
    stripBasePath: false,
    convertConstToEnum: false,
    // names of components: by default they are def-0, def-1...
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `def-${i}`) },
    transformObject: made => documented('openapiObject' in made ? made.openapiObject : made.swaggerObject),
  })
  await app.register(async docs => {
    docs.addHook('onRoute', route => {
      route.config = { ...route.config, open: true }
    })
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      // makes the page's links relative where it is asked for without a slash at the end
      indexPrefix: '.',
      staticCSP: CSP,
      uiConfig: { validatorUrl: null },
      transformSpecification: forPage,
    })
  })
  const schema = {
    operationId: 'getOpenapi',
    tags: ['service'],
    summary: 'This document',
    description: 'The API as OpenAPI 3.1; /docs shows it to people.',
    security: [],
    response: {
      200: jsonReply('The document.', { type: 'object', additionalProperties: true }),
      ...errorReplies(MALFORMED),
    },
  }
  app.get('/openapi.json', { schema, config: { open: true } }, async () => app.swagger())
}
