/** Parts of a form as clients write them by hand, by old libraries, and without a filename. */
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { IMAGE, makeApp } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'
import { onlyColourWebp } from '../../support/images/pictures.js'

const { app, engine } = await makeApp(t)

interface Part {
  disposition: string
  headers?: string[]
  content: Uint8Array | string
}

async function send(app: FastifyInstance, ...parts: Part[]) {
  const chunks = parts.flatMap(({ disposition, headers = [], content }) => [
    ['--b', `Content-Disposition: form-data; ${disposition}`, ...headers, '', ''].join('\r\n'),
    content,
    '\r\n',
  ])
  const payload = Buffer.concat([...chunks, '--b--\r\n'].map(chunk => Buffer.from(chunk as string)))
  const headers = { 'content-type': 'multipart/form-data; boundary=b' }
  const reply = await app.inject({ method: 'POST', url: '/crop', headers, payload })
  return { status: reply.statusCode, body: reply.json() }
}

const question: Part = { disposition: 'name="question"', content: 'What?' }
const lines = IMAGE.toString('base64').replace(/.{76}/g, line => `${line}\r\n`)

t.test('an image is a file however its part is written', async t => {
  const parts: Record<string, Part> = {
    'with a type and no filename': {
      disposition: 'name="image"',
      headers: ['Content-Type: image/png'],
      content: IMAGE,
    },
    'of bytes and no filename': {
      disposition: 'name="image"',
      headers: ['Content-Type: application/octet-stream'],
      content: IMAGE,
    },
    'with neither': { disposition: 'name="image"', content: IMAGE },
    'with neither, of bytes that are a text too': { disposition: 'name="image"', content: onlyColourWebp(100, 90) },
    'of a type with parameters': {
      disposition: 'name="image"',
      headers: ['Content-Type: image/png; charset=binary'],
      content: IMAGE,
    },
    'that says it is a text': {
      disposition: 'name="image"; filename="page.png"',
      headers: ['Content-Type: text/plain'],
      content: IMAGE,
    },
    'without quotation marks': { disposition: 'name=image; filename=page.png', content: IMAGE },
    'with an extended name': { disposition: `name="image"; filename*=UTF-8''%e2%82%ac.png`, content: IMAGE },
    'with both names': {
      disposition: `name="image"; filename="x.png"; filename*=UTF-8''%e2%82%ac.png`,
      headers: ['Content-Type: image/png'],
      content: IMAGE,
    },
    'with the filename first': { disposition: 'filename="a;b \\"c\\".png"; name="image"', content: IMAGE },
    'with an empty filename': { disposition: 'name="image"; filename=""', content: IMAGE },
    'in base64': {
      disposition: 'name="image"; filename="page.png"',
      headers: ['Content-Type: image/png', 'Content-Transfer-Encoding: base64'],
      content: lines,
    },
    'in base64 without a filename': {
      disposition: 'name="image"',
      headers: ['Content-Transfer-Encoding: BASE64'],
      content: lines,
    },
    'in binary': {
      disposition: 'name="image"; filename="page.png"',
      headers: ['Content-Transfer-Encoding: binary'],
      content: IMAGE,
    },
  }
  for (const [name, part] of Object.entries(parts))
    for (const all of [
      [part, question],
      [question, part],
    ]) {
      const { status, body } = await send(app, ...all)
      t.equal(status, 200, `${name}: ${body.error?.message}`)
      const expected = name.includes('text too') ? onlyColourWebp(100, 90) : IMAGE
      t.ok(expected.equals(jobsOf(engine, 'locate').at(-1)?.image as Uint8Array), name)
    }
})

t.test('what is no image is told for what it is', async t => {
  const type = (type: string) => [`Content-Type: ${type}`]
  const rows: [name: string, part: Part, status: number, code: string, says: RegExp][] = [
    ['base64', { disposition: 'name="image"', content: lines }, 400, 'invalid_option', /as text; send it as a file/],
    ['a link', { disposition: 'name="image"', content: 'https://x.org/a' }, 403, 'url_not_allowed', /Fetch the image/],
    ['blank', { disposition: 'name="image"', content: ' ' }, 400, 'missing_field', /missing; send it as a JPEG/],
    [
      'no bytes',
      { disposition: 'name="image"', headers: type('image/png'), content: '' },
      400,
      'missing_field',
      /empty/,
    ],
    [
      'bytes of a GIF',
      { disposition: 'name="image"', content: Buffer.from('GIF89a\xff\xfe', 'latin1') },
      415,
      'unsupported_image_format',
      /not JPEG/,
    ],
    [
      'broken base64',
      { disposition: 'name="image"; filename="a"', headers: ['Content-Transfer-Encoding: base64'], content: 'QU*D' },
      400,
      'invalid_base64',
      /"\*"/,
    ],
    [
      'a question of bytes',
      { disposition: 'name="question"', headers: type('application/octet-stream'), content: 'q' },
      400,
      'invalid_option',
      /`question` was sent as a file/,
    ],
  ]
  for (const [name, part, status, code, says] of rows) {
    const reply = await send(app, part, question)
    t.equal(reply.status, status, `${name}: ${reply.body.error?.message}`)
    t.match(reply.body.error, { code, message: says }, name)
  }
  const image: Part = { disposition: 'name="image"', content: IMAGE }
  for (const parts of [
    [image, image],
    [image, { disposition: 'name="image"', content: 'text' }],
    [{ disposition: 'name="image"', content: 'text' }, image],
  ]) {
    const { status, body } = await send(app, ...parts, question)
    t.equal(status, 400)
    t.match(body.error, { code: 'invalid_option', message: /`image` was sent twice/ })
  }
})
