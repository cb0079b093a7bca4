import t, { type Test } from 'tap'
import { ANSWER_OPTIONS, CROP_OPTIONS } from '../../../src/http/request/options.js'
import { makeApp } from '../../support/fakes/app.js'

interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  properties?: Record<string, Schema>
  required?: string[]
  oneOf?: Schema[]
  const?: string
}

interface Operation {
  operationId: string
  tags: string[]
  summary: string
  description: string
  security?: object[]
  requestBody?: { required: boolean; content: Record<string, { schema: Schema; encoding?: Record<string, object> }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>
}

interface Document {
  openapi: string
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  security: object[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema>; securitySchemes?: object }
}

async function read(t: Test, env: Record<string, string> = {}): Promise<Document> {
  const { app } = await makeApp(t, {}, env)
  const response = await app.inject({ url: '/openapi.json' })
  t.equal(response.statusCode, 200)
  return response.json()
}

t.test('/openapi.json has every route, option and status', async t => {
  const document = await read(t)
  t.equal(document.openapi, '3.1.0')
  t.strictSame(Object.keys(document.paths).sort(), [
    '/answer',
    '/crop',
    '/health',
    '/health/live',
    '/health/ready',
    '/info',
    '/metrics',
    '/openapi.json',
    '/v1/chat/completions',
    '/v1/messages',
    '/v1/models',
    '/v1/responses',
    '/zoom',
  ])
  const named = (schema?: Schema) => document.components.schemas[schema?.$ref?.split('/').at(-1) ?? ''] ?? {}
  for (const [path, options, statuses] of [
    ['/crop', CROP_OPTIONS, [200, 400, 401, 403, 413, 415, 422, 429, 502, 503, 504]],
    ['/answer', ANSWER_OPTIONS, [200, 400, 401, 403, 413, 415, 422, 429, 502, 503, 504]],
  ] as const) {
    const operation = document.paths[path]?.post as Operation
    t.strictSame(Object.keys(operation.responses).map(Number), statuses)
    t.equal(operation.requestBody?.required, true)
    for (const type of ['multipart/form-data', 'application/json']) {
      const schema = operation.requestBody?.content[type]?.schema ?? {}
      t.strictSame(Object.keys(schema.properties ?? {}), ['image', 'question', ...Object.keys(options)], type)
      t.strictSame(schema.required, path === '/answer' ? ['image', 'question'] : ['image'])
      t.notOk(schema.oneOf)
    }
    const form = operation.requestBody?.content['multipart/form-data']
    t.match(form?.schema.properties?.image, { type: 'string', format: 'binary' })
    t.strictSame(
      Object.keys(form?.encoding ?? {}),
      path === '/answer' ? ['image', 'box'] : ['image', 'questions', 'box'],
    )
  }
  const answer = named(document.paths['/answer']?.post?.responses['200']?.content?.['application/json']?.schema)
  t.match(answer, {
    properties: {
      bbox: { minItems: 4 },
      crop: { $ref: '#/components/schemas/Picture' },
      overlay: { $ref: '#/components/schemas/Picture' },
      target: { $ref: '#/components/schemas/AnsweredBy' },
    },
  })
  const { Picture, AnsweredBy, Usage } = document.components.schemas
  t.strictSame(Picture?.required, ['media_type', 'width', 'height', 'data'])
  t.match(AnsweredBy, { properties: { usage: { anyOf: [{ $ref: '#/components/schemas/Usage' }, { type: 'null' }] } } })
  t.strictSame(Usage?.required, ['prompt_tokens', 'completion_tokens'])
  const { required = [] } = answer
  t.ok(required.includes('bbox'))
  t.notOk(required.some(name => ['crop', 'overlay', 'compare'].includes(name)))
})

t.test('what clients are made from', async t => {
  const document = await read(t)
  t.strictSame(document.servers[0]?.url, '.')
  const operations = Object.values(document.paths).flatMap(path => Object.values(path))
  const ids = operations.map(({ operationId }) => operationId)
  t.strictSame(ids.toSorted(), [
    'answer',
    'chatCompletions',
    'crop',
    'getHealth',
    'getInfo',
    'getLive',
    'getMetrics',
    'getOpenapi',
    'getReady',
    'listModels',
    'messages',
    'responses',
    'zoom',
  ])
  const tags = document.tags.map(({ name }) => name)
  for (const { operationId, summary, description, ...operation } of operations) {
    t.ok(summary && description, operationId)
    t.ok(
      operation.tags.every(tag => tags.includes(tag)),
      operationId,
    )
    for (const [status, { content }] of Object.entries(operation.responses).filter(([status]) => status >= '4'))
      t.match(content, { 'application/json': { schema: { $ref: '#/components/schemas/ErrorReply' } } }, status)
  }
  const crop = document.paths['/crop']?.post?.responses['200']?.content?.['application/json']?.schema
  const names = ['CropReply', 'CropListReply']
  t.strictSame(
    crop?.oneOf,
    names.map(name => ({ $ref: `#/components/schemas/${name}` })),
  )
  t.strictSame(
    names.map(name => document.components.schemas[name]?.properties?.object?.const),
    ['crop', 'crop_list'],
  )
  for (const name of ['Region', 'AnswerReply', 'Picture', 'ErrorReply', 'InfoReply', 'ImageUrl'])
    t.ok(document.components.schemas[name], name)
  t.notMatch(JSON.stringify(document), /"(expected|unit|file|\$id)":/, 'our own keywords stay here')
})

t.test('a key is documented where it is asked for', async t => {
  const open = await read(t)
  t.strictSame(open.security, [])
  t.notOk(open.components.securitySchemes)
  const { security, components, paths } = await read(t, { API_KEY: 'sesame' })
  t.strictSame(security, [{ key: [] }])
  t.match(components.securitySchemes, { key: { type: 'http', scheme: 'bearer' } })
  t.strictSame(paths['/health']?.get?.security, [])
  t.notOk(paths['/crop']?.post?.security)
})

t.test('/docs shows it with its own assets alone', async t => {
  const { app } = await makeApp(t)
  for (const url of ['/docs', '/docs/']) {
    const page = await app.inject({ url })
    t.equal(page.statusCode, 200)
    t.match(page.headers['content-type'], /text\/html/)
    const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1] ?? '')
    t.ok(links.length > 3)
    for (const link of links) {
      t.match(link, /^\.\//, 'relative, for a proxy with a path prefix')
      const asset = await app.inject({ url: new URL(link, `http://x${url}`).pathname })
      t.equal(asset.statusCode, 200, link)
    }
    t.notMatch(page.headers['content-security-policy'], /https?:|upgrade/)
  }
})
