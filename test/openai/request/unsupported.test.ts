import t from 'tap'
import { unsupportedField } from '../../../src/openai/request/unsupported.js'

t.test('what endpoints and gateways write about a field that they do not take', async t => {
  const rows: [status: number, body: unknown, field: string | null][] = [
    [400, { code: 'unsupported_parameter', param: 'max_tokens', message: 'x' }, 'max_tokens'],
    [400, { code: 'unsupported_value', param: 'temperature', message: 'x' }, 'temperature'],
    // OpenRouter
    [
      400,
      {
        message: 'Provider returned error',
        code: 400,
        metadata: {
          raw: '{"error":{"message":"Unsupported parameter: \'max_tokens\' is not supported with this model. Use \'max_completion_tokens\' instead."}}',
        },
      },
      'max_tokens',
    ],
    // LiteLLM
    [
      400,
      {
        message:
          "litellm.UnsupportedParamsError: gpt-5 models don't support temperature=0. Only temperature=1 is supported.",
      },
      'temperature',
    ],
    [422, 'the parameter temperature is not supported', 'temperature'],
    // strict schemas: FastAPI's and Mistral's
    [422, { message: 'Extra inputs are not permitted', code: null, param: 'max_tokens' }, 'max_tokens'],
    [422, { message: 'Extra inputs are not permitted', code: null, param: 'seed' }, null],
    // Azure; Anthropic
    [400, { message: 'Unrecognized request argument supplied: max_tokens' }, 'max_tokens'],
    [400, { message: '`temperature` is deprecated for this model.' }, 'temperature'],
    [400, { message: "'messages[0].role' does not support 'system' with this model", code: 'unsupported_value' }, null],
    [400, { message: 'too large', code: 'invalid_value', param: 'max_tokens' }, null],
    [400, { code: 'unsupported_parameter', param: 'logprobs', message: 'no logprobs' }, null],
    [400, { message: 'max_tokens is too large: 9000' }, null],
    [400, { message: 'This model does not support images.' }, null],
    [500, { code: 'unsupported_parameter', param: 'max_tokens' }, null],
    [400, null, null],
  ]
  for (const [status, error, field] of rows) t.equal(unsupportedField({ status, error }), field, JSON.stringify(error))
  t.equal(unsupportedField(new Error('temperature is not supported')), null, 'no reply at all')
  t.equal(unsupportedField(null), null)
})
