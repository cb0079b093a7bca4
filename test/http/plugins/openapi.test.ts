import t from 'tap'
import { ANSWER_OPTIONS, CROP_OPTIONS } from '../../../src/http/request/options.js'
import { makeApp } from '../../support/fakes/app.js'

interface Operation {
  requestBody?: {
    content: Record<string, { schema: { properties: Record<string, unknown>; required: string[]; oneOf?: unknown } }>
  }
  responses: Record<string, { description: string; content?: Record<string, { schema: Record<string, unknown> }> }>
}

t.test('/openapi.json has every route, option and status', async t => {
  const { app } = await makeApp(t)
  const response = await app.inject({ url: '/openapi.json' })
  t.equal(response.statusCode, 200)
  const document = response.json() as { openapi: string; paths: Record<string, Record<string, Operation>> }
  t.equal(document.openapi, '3.1.0')
  t.strictSame(Object.keys(document.paths).sort(), [
    '/answer',
    '/crop',
    '/health',
    '/health/live',
    '/health/ready',
    '/info',
    '/metrics',
  ])
  for (const [path, options, statuses] of [
    ['/crop', CROP_OPTIONS, [200, 400, 401, 403, 413, 415, 422, 429, 503, 504]],
    ['/answer', ANSWER_OPTIONS, [200, 400, 401, 403, 413, 415, 422, 429, 502, 503, 504]],
  ] as const) {
    const operation = document.paths[path]?.post as Operation
    t.strictSame(Object.keys(operation.responses).map(Number), statuses)
    for (const type of ['multipart/form-data', 'application/json']) {
      const schema = operation.requestBody?.content[type]?.schema
      t.strictSame(Object.keys(schema?.properties ?? {}), ['image', 'question', ...Object.keys(options)], type)
      if (path === '/answer') t.strictSame(schema?.required, ['image', 'question'])
      else {
        t.strictSame(schema?.required, ['image'])
        t.strictSame(schema?.oneOf, [{ required: ['question'] }, { required: ['questions'] }])
      }
    }
  }
  const answer = document.paths['/answer']?.post?.responses['200']?.content?.['application/json']?.schema
  t.match(answer, {
    properties: {
      bbox: { minItems: 4 },
      crop: { description: /return=crop/ },
      overlay: { description: /return=overlay/, required: ['media_type', 'width', 'height', 'data'] },
      target: { properties: { usage: { type: ['object', 'null'] } } },
    },
  })
  const { required } = answer as { required: string[] }
  t.ok(required.includes('bbox'))
  t.notOk(required.some(name => ['crop', 'overlay', 'compare'].includes(name)))
})

t.test('/docs shows it with its own assets alone', async t => {
  const { app } = await makeApp(t)
  const page = await app.inject({ url: '/docs' })
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], /text\/html/)
  const links = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1] ?? '')
  t.ok(links.length > 3)
  for (const link of links) {
    t.notMatch(link, /^(https?:)?\/\//)
    const asset = await app.inject({ url: new URL(link, 'http://x/docs/').pathname })
    t.equal(asset.statusCode, 200, link)
  }
  t.notMatch(page.headers['content-security-policy'], /https?:|upgrade/)
})
