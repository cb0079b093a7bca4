import t from 'tap'
import { CropVlmError, type ErrorCode } from '../../../src/errors.js'
import { errorReply, REPLIES, toCoded } from '../../../src/http/plugins/errors.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'

/** The table of the API: status to codes. */
const STATUSES: Record<number, ErrorCode[]> = {
  400: [
    'invalid_body',
    'missing_field',
    'unknown_option',
    'invalid_option',
    'invalid_base64',
    'question_too_long',
    'unsupported_resolution',
    'unknown_target',
    'invalid_url',
  ],
  401: ['invalid_api_key'],
  403: ['url_not_allowed'],
  404: ['not_found'],
  405: ['method_not_allowed'],
  413: ['body_too_large', 'image_too_large', 'image_aspect_too_extreme'],
  415: ['unsupported_content_type', 'unsupported_image_format'],
  422: ['image_undecodable', 'url_failed'],
  429: ['queue_full'],
  499: ['request_aborted'],
  500: ['internal_error', 'model_failed', 'invalid_config', 'invalid_model'],
  502: ['cropper_failed', 'target_failed'],
  503: ['not_ready', 'draining', 'engine_unavailable'],
  504: ['cropper_timeout', 'deadline_exceeded', 'target_timeout', 'url_timeout'],
}

t.test('every code has the status of the table', async t => {
  const codes = Object.entries(STATUSES).flatMap(([status, codes]) =>
    codes.map(code => [code, Number(status)] as const),
  )
  t.strictSame(codes.map(([code]) => code).sort(), Object.keys(REPLIES).sort())
  for (const [code, status] of codes) {
    const reply = errorReply(new CropVlmError(code, 'So.'), 'id')
    t.equal(reply.status, status, code)
    const upstream = (['cropper', 'target'] as const).find(name => code.startsWith(`${name}_`))
    t.equal(reply.body.error.source, upstream ?? 'gateway', code)
    t.equal('retry-after' in reply.headers, status === 429 || status === 503, code)
  }
})

t.test('the envelope', async t => {
  const error = new CropVlmError('queue_full', 'The queue is full.', { details: { waiting: 64 }, retryAfter: 1.2 })
  t.strictSame(errorReply(error, 'abc'), {
    status: 429,
    headers: { 'x-request-id': 'abc', 'retry-after': '2' },
    body: {
      error: {
        message: 'The queue is full.',
        type: 'rate_limit_error',
        param: null,
        code: 'queue_full',
        source: 'gateway',
        details: { waiting: 64 },
      },
      request_id: 'abc',
    },
  })
  t.equal(errorReply(new CropVlmError('image_undecodable', ''), '').body.error.param, 'image')
  t.equal(errorReply(new CropVlmError('missing_field', '', { param: 'question' }), '').body.error.param, 'question')
})

t.test('what the engine throws comes out of the route', async t => {
  for (const code of [
    'image_too_large',
    'image_aspect_too_extreme',
    'unsupported_image_format',
    'image_undecodable',
    'unsupported_resolution',
    'queue_full',
    'not_ready',
    'draining',
    'engine_unavailable',
    'deadline_exceeded',
  ] as const) {
    const { app } = await makeApp(t, {
      locate() {
        throw new CropVlmError(code, 'So it is.', { retryAfter: 7 })
      },
    })
    const { status, headers, body } = await post(app, '/crop', { image: IMAGE, question: 'q' })
    t.equal(status, REPLIES[code].status, code)
    t.match(body.error, { code, message: 'So it is.' })
    t.equal(headers['retry-after'], status === 429 || status === 503 ? '7' : undefined)
  }
})

t.test('anything else is an internal error that tells nothing', async t => {
  const { app } = await makeApp(t, {
    locate() {
      throw new TypeError('secret of the house')
    },
  })
  const { status, body } = await post(app, '/crop', { image: IMAGE, question: 'q' })
  t.equal(status, 500)
  t.match(body.error, { code: 'internal_error', type: 'server_error', source: 'gateway' })
  t.notMatch(JSON.stringify(body), /secret/)
  t.equal(toCoded('a string').code, 'internal_error')
  t.equal(toCoded(Object.assign(new Error('x'), { statusCode: 500 })).code, 'internal_error')
})
