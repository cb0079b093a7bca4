import t from 'tap'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jpegHeader, png } from '../../support/images/pictures.js'

const GOOD = IMAGE.toString('base64')
const { app } = await makeApp(t, {}, { MAX_PIXELS: '1000000', MAX_ASPECT: '20', MAX_QUESTION_CHARS: '40' })

/** Body, then what the reply must say: status, code, param, and a piece of the message. */
type Row = [
  name: string,
  body: Record<string, unknown>,
  status: number,
  code: string,
  param: string | null,
  says: RegExp,
]

const q = 'What?'
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

const JSON_ROWS: Row[] = [
  ['no image', { question: q }, 400, 'missing_field', 'image', /`image` is missing/],
  ['a null image', { question: q, image: null }, 400, 'missing_field', 'image', /missing/],
  ['an empty image', { question: q, image: '' }, 400, 'missing_field', 'image', /empty/],
  ['an empty data URL', { question: q, image: 'data:image/png;base64,' }, 400, 'missing_field', 'image', /empty/],
  ['no question', { image: GOOD }, 400, 'missing_field', 'question', /`question` is missing/],
  ['a blank question', { image: GOOD, question: ' \n' }, 400, 'missing_field', 'question', /empty/],
  ['a question that is no text', { image: GOOD, question: 7 }, 400, 'invalid_option', 'question', /text/],
  ['a question too long', { image: GOOD, question: 'x'.repeat(41) }, 400, 'question_too_long', 'question', /40 char/],
  ['no questions', { image: GOOD, questions: [] }, 400, 'invalid_option', 'questions', /1 to 32 texts/],
  ['too many', { image: GOOD, questions: Array(33).fill(q) }, 400, 'invalid_option', 'questions', /1 to 32 texts/],
  ['no list', { image: GOOD, questions: q }, 400, 'invalid_option', 'questions', /JSON array/],
  ['a list of numbers', { image: GOOD, questions: [q, 7] }, 400, 'invalid_option', 'questions', /JSON array/],
  ['a blank one among them', { image: GOOD, questions: [q, ' '] }, 400, 'missing_field', 'question', /empty/],
  ['a long one', { image: GOOD, questions: [q, 'x'.repeat(41)] }, 400, 'question_too_long', 'question', /40 char/],
  ['one and several', { image: GOOD, question: q, questions: [q] }, 400, 'invalid_option', 'questions', /one of them/],
  ['a misspelt image', { imgae: GOOD, question: q }, 400, 'unknown_option', 'imgae', /`imgae`.*image, question/],
  ['an image that is no text', { image: 5, question: q }, 400, 'invalid_option', 'image', /data URL/],
  ['an image_url without url', { image: { image_url: {} }, question: q }, 400, 'invalid_option', 'image', /image_url/],
  [
    'an unknown option',
    { image: GOOD, question: q, zoomed: 2 },
    400,
    'unknown_option',
    'zoomed',
    /`zoomed`.*resolution, exp/,
  ],
  ['an option of /answer', { image: GOOD, question: q, mode: 'full' }, 400, 'unknown_option', 'mode', /mode/],
  ['a number as text', { image: GOOD, question: q, expand: '2' }, 400, 'invalid_option', 'expand', /from 1 to 10/],
  ['too much', { image: GOOD, question: q, expand: 10.5 }, 400, 'invalid_option', 'expand', /from 1 to 10/],
  ['no whole number', { image: GOOD, question: q, quality: 50.5 }, 400, 'invalid_option', 'quality', /whole number/],
  [
    'no such choice',
    { image: GOOD, question: q, return: 'all' },
    400,
    'invalid_option',
    'return',
    /box, crop, overlay/,
  ],
  ['other characters', { image: 'iVBOR*0K', question: q }, 400, 'invalid_base64', 'image', /characters outside/],
  ['base64 cut short', { image: GOOD.slice(0, 21), question: q }, 400, 'invalid_base64', 'image', /multiple of 4/],
  ['padding in the middle', { image: 'QQ==QUJD', question: q }, 400, 'invalid_base64', 'image', /after its = padding/],
  [
    'a data URL not in base64',
    { image: 'data:image/svg+xml,<svg/>', question: q },
    400,
    'invalid_base64',
    'image',
    /;base64/,
  ],
  ['a data URL without data', { image: 'data:image/png;base64', question: q }, 400, 'invalid_base64', 'image', /comma/],
  ['an http URL', { image: 'http://127.0.0.1/a.png', question: q }, 403, 'url_not_allowed', 'image', /send its bytes/],
  [
    'an https URL',
    { image: { image_url: { url: 'https://x.org/a' } }, question: q },
    403,
    'url_not_allowed',
    'image',
    /base64/,
  ],
  ['an image_url of no text', { image: { image_url: 7 }, question: q }, 400, 'invalid_option', 'image', /input_image/],
  ['a file id', { image: { type: 'input_image', file_id: 'f' }, question: q }, 400, 'invalid_option', 'image', /data:/],
  ['a list of parts', { image: [{ image_url: GOOD }], question: q }, 400, 'invalid_option', 'image', /as a string, or/],
  ['an empty source', { image: { source: { data: '' } }, question: q }, 400, 'missing_field', 'image', /empty/],
  ['a file URL', { image: 'file:///etc/passwd', question: q }, 403, 'url_not_allowed', 'image', /bytes/],
  [
    'an SVG',
    { image: base64(Buffer.from('<svg/>')), question: q },
    415,
    'unsupported_image_format',
    'image',
    /JPEG, PNG or/,
  ],
  ['a GIF', { image: base64(Buffer.from('GIF89a')), question: q }, 415, 'unsupported_image_format', 'image', /convert/],
  [
    'too many pixels',
    { image: base64(png(2000, 501)), question: q },
    413,
    'image_too_large',
    'image',
    /2000x501.* 1 mega/,
  ],
  [
    'too long an edge',
    { image: base64(png(999, 9)), question: q },
    413,
    'image_aspect_too_extreme',
    'image',
    /999x9.*20 times/,
  ],
  [
    'a PNG of no header',
    { image: base64(IMAGE.subarray(0, 15)), question: q },
    422,
    'image_undecodable',
    'image',
    /PNG/,
  ],
  [
    'a JPEG of no frame',
    { image: base64(jpegHeader(9, 9).subarray(0, 40)), question: q },
    422,
    'image_undecodable',
    'image',
    /JPEG/,
  ],
]

t.test('JSON that is refused', async t => {
  for (const [name, json, status, code, param, says] of JSON_ROWS) {
    const reply = await post(app, '/crop', { json })
    t.equal(reply.status, status, `${name}: ${reply.body.error?.message}`)
    const { error, request_id } = reply.body
    t.match(error, { code, param, source: 'gateway', message: says }, name)
    t.equal(request_id, reply.headers['x-request-id'], name)
  }
})

const FORM_ROWS: [
  name: string,
  fields: Record<string, string | Uint8Array>,
  status: number,
  code: string,
  says: RegExp,
][] = [
  ['no image', { question: q }, 400, 'missing_field', /`image` is missing/],
  ['an empty file', { image: Buffer.alloc(0), question: q }, 400, 'missing_field', /`image` is empty/],
  ['an image as text', { image: GOOD, question: q }, 400, 'invalid_option', /-F image=@/],
  ['an image URL', { image: 'https://example.org/a.png', question: q }, 403, 'url_not_allowed', /send its bytes/],
  ['no question', { image: IMAGE }, 400, 'missing_field', /`question` is missing/],
  ['an empty question', { image: IMAGE, question: '' }, 400, 'missing_field', /`question` is empty/],
  ['a question as a file', { image: IMAGE, question: Buffer.from(q) }, 400, 'invalid_option', /as text/],
  ['a question too long', { image: IMAGE, question: 'é'.repeat(41) }, 400, 'question_too_long', /40 characters/],
  ['a question of 2 MB', { question: 'x'.repeat(2e6), image: IMAGE }, 400, 'question_too_long', /40 characters/],
  ['an unknown option', { image: IMAGE, question: q, size: '3' }, 400, 'unknown_option', /`size` is not an option/],
  ['a file of another name', { file: IMAGE, question: q }, 400, 'unknown_option', /`file`.*image, question/],
  ['no number', { image: IMAGE, question: q, expand: '1e1' }, 400, 'invalid_option', /`expand` must be a number from/],
  ['a blank question', { image: IMAGE, question: ' ' }, 400, 'missing_field', /`question` is empty/],
  ['half a number', { image: IMAGE, question: q, quality: '50.5' }, 400, 'invalid_option', /`quality` must be a whole/],
  ['an SVG named .png', { image: Buffer.from('<svg/>'), question: q }, 415, 'unsupported_image_format', /JPEG/],
]

t.test('forms that are refused', async t => {
  for (const [name, fields, status, code, says] of FORM_ROWS) {
    const reply = await post(app, '/crop', fields)
    t.equal(reply.status, status, `${name}: ${reply.body.error?.message}`)
    t.match(reply.body.error, { code, source: 'gateway', message: says }, name)
  }
})

t.test('a question may have as many characters as it says, whatever they are made of', async t => {
  for (const question of ['x'.repeat(40), '😀'.repeat(40)]) {
    t.equal((await post(app, '/crop', { image: IMAGE, question })).status, 200)
    t.equal((await post(app, '/crop', { json: { image: GOOD, question } })).status, 200)
  }
  t.equal((await post(app, '/crop', { json: { image: GOOD, question: '😀'.repeat(41) } })).status, 400)
})

const multipart = (text: string) => ({
  headers: { 'content-type': 'multipart/form-data; boundary=b' },
  payload: text.replaceAll('\n', '\r\n'),
})
const part = (name: string, value: string) => `--b\nContent-Disposition: form-data; name="${name}"\n\n${value}\n`

t.test('bodies that cannot be read', async t => {
  const json = { 'content-type': 'application/json' }
  const rows: [
    name: string,
    headers: Record<string, string>,
    payload: string | undefined,
    status: number,
    code: string,
  ][] = [
    ['broken JSON', json, '{"image": "', 400, 'invalid_body'],
    ['no JSON at all', json, '', 400, 'invalid_body'],
    ['JSON that is no object', json, '[1]', 400, 'invalid_body'],
    ['null', json, 'null', 400, 'invalid_body'],
    ['a prototype', json, '{"__proto__": {"a": 1}}', 400, 'invalid_body'],
    ['other spelling', { 'content-type': 'Application/JSON; charset=utf-8' }, '{}', 400, 'missing_field'],
    ['a form in other spelling', { 'content-type': 'Multipart/Form-Data; boundary=b' }, '--b--', 400, 'missing_field'],
    ['nothing', {}, undefined, 400, 'invalid_body'],
    ['text', { 'content-type': 'text/plain' }, 'hi', 415, 'unsupported_content_type'],
    ['a plain form', { 'content-type': 'application/x-www-form-urlencoded' }, 'a=b', 415, 'unsupported_content_type'],
    ['gzip', { ...json, 'content-encoding': 'gzip' }, 'x', 415, 'unsupported_content_type'],
    ['no boundary', { 'content-type': 'multipart/form-data' }, '--b', 400, 'invalid_body'],
    [
      'a form cut off',
      ...(Object.values(multipart(part('question', 'q'))) as [Record<string, string>, string]),
      400,
      'invalid_body',
    ],
    [
      'a field sent twice',
      ...(Object.values(multipart(`${part('question', 'q')}${part('question', 'r')}--b--\n`)) as [
        Record<string, string>,
        string,
      ]),
      400,
      'invalid_option',
    ],
    [
      'a prototype in a form',
      ...(Object.values(multipart(`${part('constructor', 'q')}--b--\n`)) as [Record<string, string>, string]),
      400,
      'invalid_body',
    ],
  ]
  for (const [name, headers, payload, status, code] of rows) {
    const reply = await app.inject({
      method: 'POST',
      url: '/crop',
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    t.equal(reply.statusCode, status, `${name}: ${reply.body}`)
    t.match(reply.json().error, { code, type: 'invalid_request_error', source: 'gateway' }, name)
  }
})

t.test('a part without a name is told as such', async t => {
  for (const rest of ['; filename="a"', '']) {
    const body = multipart(`--b\nContent-Disposition: form-data${rest}\n\nx\n--b--\n`)
    const reply = await app.inject({ method: 'POST', url: '/crop', ...body })
    t.equal(reply.statusCode, 400)
    t.match(reply.json().error, { code: 'invalid_body', message: /has no name/ })
  }
})
