import t from 'tap'
import { ClientError } from '../../src/client/error.js'
import { CropVlmError } from '../../src/errors.js'
import { takesStructure } from '../../src/mcp/hosts.js'
import { adviceOn, ToolError } from '../../src/mcp/tool-error.js'

t.test('what a model is told of a failure', async t => {
  t.equal(adviceOn(new ToolError('Do this.')), 'Do this.')
  t.equal(adviceOn(new CropVlmError('image_undecodable', 'It is damaged.')), 'It is damaged.')
  t.equal(adviceOn(new ClientError('queue_full', 'Try later.')), 'Try later.')
  t.match(adviceOn(new ClientError('unreachable', 'No service.')), /^No service\. .*cropvlm serve.*without --url/)
  t.match(adviceOn(new ClientError('url_not_allowed', 'Not from there.')), /Not from there\. .*as a file/)
  t.equal(adviceOn(new TypeError('a bug')), null)
})

t.test('hosts that show the structured result in place of the picture get none', async t => {
  t.same(['claude-code', 'Visual Studio Code', undefined].map(takesStructure), [false, true, true])
})
