import t from 'tap'
import { cleanReason, MAX_REASON } from '../../../src/openai/reply/clean-reason.js'

const clean = (words: string | null, apiKey: string | null = null, question = '') =>
  cleanReason(words, { apiKey, question })

t.test('what tells the reason stays as it is', async t => {
  for (const words of [
    'At most 1 image(s) may be provided in one request.',
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    'The model `Qwen/Qwen2.5-VL-72B-Instruct-AWQ` does not exist.',
    "This model's maximum context length is 4096 tokens. Please reduce the length of the messages.",
    'litellm.BadRequestError: OpenAIException - Die Anfrage ist ungültig. 画像が小さすぎます。',
  ])
    t.equal(clean(words, 'sk-0123456789', 'What is the total?'), words)
})

t.test('nothing to say', async t => {
  for (const words of [null, '', ' \n\t', '...', '\u0000\u0007', 'data:image/png;base64,iVBORw0KGgo='])
    t.equal(clean(words), null, JSON.stringify(words))
})

t.test('control characters, line breaks and marks that change the direction become one space', async t => {
  t.equal(clean('a\r\n\tb\u0000c\u001b[31md\u202ee\u200bf\ud800g\ufeff'), 'a b c [31md e f g')
})

t.test('cut to 200 letters, none of them in two', async t => {
  t.equal(MAX_REASON, 200)
  t.equal(clean('x y '.repeat(50))?.length, 199, 'it fits')
  const cut = clean('𝒜 '.repeat(300)) ?? ''
  t.ok([...cut].length <= 200 && cut.endsWith('𝒜...'), cut)
  t.equal(clean(`${'ab '.repeat(100_000)}`)?.length, 200)
})

t.test('secrets, known or by their looks', async t => {
  const rows: [words: string, cleaned: string][] = [
    ['key my-key-1 is wrong', 'key [...] is wrong'],
    ['key MY_KEY_1!', 'key [...]!'],
    ['used Bearer abc.def', 'used [...]'],
    ['see sk-proj-abc123, hf_abcdefgh or AIzaSyAbc12345', 'see [...] or [...]'],
    ['api_key=hunter2 given', '[...] given'],
    ['the token: abc', 'the [...]'],
    [`got ${'aB3/'.repeat(8)}== here`, 'got [...] here'],
    ['from http://10.0.0.5:8000/v1 and 10.0.0.5:8000', 'from [...] and [...]'],
    ['data:image/jpeg;base64,/9j/4AAQ is bad', '[...] is bad'],
    ['skipping the risk of a task', 'skipping the risk of a task'],
  ]
  for (const [words, cleaned] of rows) t.equal(clean(words, 'my-key-1'), cleaned, words)
})

t.test('a part of a key, or of a question, is hidden as the whole is', async t => {
  t.equal(clean('you sent ...cdef99', 'abcdef99'), 'you sent ...[...]')
  t.equal(clean('you sent cdef', 'abcdef99'), 'you sent cdef', 'too little to be one')
  const question = 'Who signed the contract with Acme?'
  t.equal(clean("prompt 'who SIGNED  the contr' is too long", null, question), "prompt '[...]' is too long")
  t.equal(clean('the contract is void', null, question), '[...] is void')
  t.equal(clean('cannot id the id', null, 'id?'), 'cannot [...] the [...]', 'a short one, as a word')
  t.equal(clean('invalid', null, 'id?'), 'invalid')
  t.equal(clean('EMPTY: nothing is empty', 'EMPTY'), '[...]: nothing is [...]')
})

t.test('in JSON, HTML and URLs, as it is read', async t => {
  const question = 'Welcher "Betrag" für Öl?'
  for (const echo of [
    JSON.stringify(question),
    JSON.stringify(question).replace('ü', '\\u00fc').replace('Ö', '\\u00d6'),
    question.replaceAll('"', '&quot;'),
    encodeURIComponent(question),
  ])
    t.notMatch(clean(`got ${echo} from you`, null, question), /betrag|welcher|für/i, echo)
  t.match(clean('100% of it, %ZZ and %E4'), /^100% of it, %ZZ and/)
})
