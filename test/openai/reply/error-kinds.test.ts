import t from 'tap'
import { type ErrorKind, errorKind } from '../../../src/openai/reply/error-kinds.js'

const NOTHING = { message: null, code: null, type: null }
const of = (message: string) => errorKind(400, { ...NOTHING, message })

t.test('by the words that servers are known to use', async t => {
  const rows: Record<ErrorKind, string[]> = {
    no_images: [
      'At most 0 image(s) may be provided in one prompt.',
      'No endpoints found that support image input',
      'image input is not supported - hint: if this is unexpected, you may need to provide the mmproj',
      'Failed to deserialize the JSON body: unknown variant `image_url`, expected `text`',
      'Qwen/Qwen3-8B is not a multimodal model',
      'Image input is not enabled for this model',
      'messages[0].content must be a string',
      'You set image=0 (or defaulted to 0) in `--limit-mm-per-prompt`, but passed 2 image items in the same prompt.',
    ],
    too_many_images: [
      'At most 1 image(s) may be provided in one request.',
      'At most 1 image(s) may be provided in one prompt.',
      'vision model only supports a single image per message',
      'Multiple images are not supported',
      'You set image=1 (or defaulted to 1) in `--limit-mm-per-prompt`, but passed 2 image items in the same prompt.',
      'too many images: max 1',
      'Only one image is allowed',
    ],
    filtered: [
      "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      'Your request was flagged by our safety system',
    ],
    no_quota: [
      'You exceeded your current quota, please check your plan and billing details.',
      'Insufficient credits. Add more',
      'Your credit balance is too low',
    ],
    too_long: [
      "This model's maximum context length is 4096 tokens.",
      'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
      'request (5000 tokens) exceeds the available context size (4096 tokens)',
    ],
    unknown_model: [
      'The model `gpt-6` does not exist or you do not have access to it.',
      'model "qwen" not found, try pulling it first',
      'Invalid model name passed in model=qwen',
      'qwen is not a valid model ID',
      "Server is pinned to 'HuggingFaceTB/SmolVLM-256M-Instruct'; requested 'qwen'.",
    ],
    wrong_key: ['No connected db.', 'API key not valid. Please pass a valid API key.'],
  }
  for (const [kind, messages] of Object.entries(rows))
    for (const message of messages) t.equal(of(message), kind, message)
})

t.test('by the code, by the type, by the status', async t => {
  t.equal(errorKind(400, { ...NOTHING, code: 'content_filter' }), 'filtered')
  t.equal(errorKind(429, { ...NOTHING, type: 'insufficient_quota' }), 'no_quota')
  t.equal(errorKind(404, { ...NOTHING, code: 'model_not_found' }), 'unknown_model')
  t.equal(errorKind(400, { ...NOTHING, code: 'context_length_exceeded' }), 'too_long')
  t.equal(errorKind(400, { ...NOTHING, type: 'no_db_connection', code: '400' }), 'wrong_key')
  t.equal(errorKind(402, NOTHING), 'no_quota')
})

t.test('anything else is of no kind', async t => {
  for (const message of ['Rate limit reached', 'Internal Server Error', 'Incorrect API key provided', 'Not Found'])
    t.equal(of(message), null, message)
  t.equal(errorKind(500, NOTHING), null)
})
