import t from 'tap'
import { imageText, type JsonImage, readImageField } from '../../../src/http/request/json-image.js'
import { IMAGE, makeApp, post } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'

const GOOD = IMAGE.toString('base64')
const URL = `data:image/png;base64,${GOOD}`
const LINES = GOOD.replace(/.{76}/g, line => `${line}\r\n`)

t.test('every form of an image in JSON reaches the engine as the same file', async t => {
  const { app, engine } = await makeApp(t)
  const forms: unknown[] = [
    GOOD,
    URL,
    LINES,
    `${GOOD} `,
    IMAGE.toString('base64url'),
    `\ufeff  data:image/png;base64,${LINES}\n`,
    `DATA:image/PNG;BASE64,${GOOD}`,
    `data:;base64,${GOOD}`,
    `data:image/png;charset=utf-8;base64,${GOOD}`,
    `data:image/png;name=${'page'.repeat(200)}.png; base64 ,${GOOD}`,
    `data:image/png;base64,${encodeURIComponent(GOOD)}`,
    `data:image/png;base64,${GOOD.replaceAll('=', '%3d')}%0A`,
    { image_url: { url: URL } },
    { image_url: { url: GOOD } },
    { type: 'image_url', image_url: { url: URL, detail: 'high' } },
    { image_url: URL },
    { type: 'input_image', image_url: URL, detail: 'auto' },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: GOOD } },
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: LINES } },
    { type: 'image', source: { type: 'url', url: URL } },
    { url: URL },
    { url: LINES },
  ]
  for (const image of forms) {
    for (const route of ['/crop', '/answer']) {
      const { status, body } = await post(app, route, { json: { image, question: 'q' } })
      t.equal(status, 200, `${JSON.stringify(image).slice(0, 120)}: ${body.error?.message}`)
    }
  }
  const jobs = jobsOf(engine, 'locate')
  t.equal(jobs.length, 2 * forms.length)
  t.ok(jobs.every(({ image }) => IMAGE.equals(image)))
})

t.test('a link in any form is told as such', async t => {
  const links: JsonImage[] = [
    'https://example.org/page.png',
    ' \n https://example.org/page.png',
    'HTTP://127.0.0.1/a',
    's3://bucket/key',
    { image_url: 'https://example.org/page.png' },
    { image_url: { url: 'file:///etc/passwd' } },
    { source: { url: 'https://example.org/page.png' } },
    { url: 'gs://bucket/key' },
  ]
  for (const link of links)
    t.throws(() => readImageField(link), { code: 'url_not_allowed', message: /Fetch the image yourself/ })
})

t.test('what is wrong with a data URL', async t => {
  const rows: [text: string, says: RegExp][] = [
    ['data:image/svg+xml,<svg/>', /does not say ;base64/],
    [`data:base64,${GOOD}`, /does not say ;base64/],
    [`data:image/png;base64${GOOD}`, /no comma/],
    [`data:image/png;base64,${GOOD}%`, /such as "%"/],
    [`data:image/png;base64,${GOOD}%zz`, /such as "%"/],
    [`data:image/png;base64,data:image/png;base64,${GOOD}`, /outside/],
  ]
  for (const [text, says] of rows)
    t.throws(() => readImageField(text), { code: 'invalid_base64', message: says }, text.slice(0, 60))
})

t.test('the text of every form', async t => {
  for (const form of ['a ', { image_url: '\na' }, { image_url: { url: 'a' } }, { url: 'a' }] as const)
    t.equal(imageText(form), 'a')
  t.equal(imageText({ source: { data: 'a' } }), 'a')
  t.equal(imageText({ source: { url: 'a' } }), 'a')
})
