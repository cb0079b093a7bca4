import t from 'tap'
import { connectionProblem } from '../../../src/openai/transport/connection.js'

const coded = (code: string, message = '') => Object.assign(new Error(message), { code })
const fetchFailed = (cause: unknown) =>
  new Error('Connection error.', { cause: new TypeError('fetch failed', { cause }) })
const problem = (cause: unknown) => connectionProblem(fetchFailed(cause), 'CROPPER_BASE_URL')

t.test('by what the network says, however deep', async t => {
  t.match(problem(coded('ENOTFOUND')), /name of its host is not found; check CROPPER_BASE_URL/)
  t.match(problem(coded('EAI_AGAIN')), /not found/)
  for (const code of ['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])
    t.match(problem(coded(code)), /NODE_EXTRA_CA_CERTS/, code)
  t.match(problem(coded('CERT_HAS_EXPIRED')), /expired/)
  t.match(problem(coded('ERR_TLS_CERT_ALTNAME_INVALID')), /for another name; check CROPPER_BASE_URL/)
  t.match(problem(coded('ERR_SSL_WRONG_VERSION_NUMBER')), /begin with http:/)
  t.match(problem(coded('HPE_INVALID_CONSTANT')), /speaks no HTTP\/1.1; check CROPPER_BASE_URL, .* begin with https:/)
  t.match(problem(new AggregateError([coded('ECONNREFUSED'), coded('ENOTFOUND')])), /not found/)
  t.match(problem(coded('UND_ERR_ABORTED', 'Proxy response (407) !== 200 when HTTP Tunneling')), /NO_PROXY/)
})

t.test('a proxy that cannot be reached', async t => {
  const endpoint = new URL('https://vlm.example/v1')
  const of = (more: object) =>
    connectionProblem(fetchFailed(Object.assign(coded('ENOTFOUND'), more)), 'TARGET_BASE_URL', endpoint)
  t.match(of({ hostname: 'proxy.nowhere' }), /proxy that HTTPS_PROXY .* cannot be reached/)
  t.match(of({ port: 3128 }), /cannot be reached/)
  t.match(of({ hostname: 'vlm.example', port: 443 }), /name of its host is not found/)
  t.match(of({}), /name of its host is not found/)
})

t.test('what tells nothing more', async t => {
  for (const cause of [coded('ECONNREFUSED'), coded('ECONNRESET'), new Error('x'), undefined, 'text'])
    t.equal(problem(cause), null)
  const loop = coded('ECONNREFUSED')
  loop.cause = loop
  t.equal(problem(loop), null)
})
