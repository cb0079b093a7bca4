/** Chat requests through the proxy: what of their bytes changes, and what not (points 1, 3, 4, 5 and 7 of the contract). */
import t from 'tap'
import { ask, CROP_URL, NOTE, PAGE_URL, proxied } from '../../../support/fakes/proxy.js'
import { CHAT_REPLY } from '../../../support/fakes/recorder.js'
import { jobsOf, located } from '../../../support/fakes/scripted-engine.js'
import { png } from '../../../support/images/pictures.js'

const PATH = '/v1/chat/completions'
const OTHER_URL = `data:image/png;base64,${png(1500, 1100).toString('base64')}`
const crop = (image = 1, detail = '') =>
  `,{"type":"text","text":"The next picture is an enlarged part of image ${image}."}` +
  `,{"type":"image_url","image_url":{"url":"${CROP_URL}"${detail}}}`

t.test('an image and a question: the crop stands behind the image, and every other byte is as it came', async t => {
  const { post, upstream } = await proxied(t)
  const head = '{ "seed":12345678901234567890,\n "model" : "vlm", "temperature":0.10, "temperature":0.20,'
  const image = `{"image_url" : {"detail":"high","url":"${PAGE_URL.replaceAll('/', '\\/')}"},"type":"image_url"}`
  const tail = ' ,{"type":"text","text":"Total\\u003f ☃"}] } ] , "mm_processor_kwargs":{"a":1.0}, "metadata":null}\n'
  const before = `${head}"messages":[{"role":"system","content":"x"},{"role":"user","content":[ ${image}`
  const reply = await post(PATH, before + tail)
  const expected = before + crop(1, ',"detail":"high"') + tail
  t.equal(upstream.last().body.toString(), expected)
  t.equal(upstream.last().headers['content-length'], String(Buffer.byteLength(expected)))
  t.equal(await reply.text(), CHAT_REPLY)
  t.match(Object.fromEntries(reply.headers), {
    'x-cropvlm-decision': 'zoomed',
    'x-cropvlm-boxes':
      '[{"message":1,"part":0,"turn":1,"bbox":[12,5,80,47],"bbox_pixels":[192,60,1280,564],"crop":{"width":20,"height":10}}]',
    'x-cropvlm-ms': /^\d+(\.\d)?$/,
    'x-request-id': /./,
  })
  t.equal(reply.headers.get('x-cropvlm-reason'), null)
})

t.test('a JSON diff shows nothing but the inserted parts, whatever stands around them', async t => {
  const { post, upstream } = await proxied(t)
  const body = {
    structured_outputs: { regex: '\\d+' },
    chat_template_kwargs: { enable_thinking: false },
    reasoning_effort: 'low',
    tools: [{ type: 'function', function: { name: 'look', parameters: {} } }],
    messages: [
      { role: 'developer', content: 'd' },
      { role: 'system', content: [{ type: 'text', text: 's' }] },
      { role: 'user', content: 'hello' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: '1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      { role: 'tool', tool_call_id: '1', content: [{ type: 'image_url', image_url: { url: OTHER_URL } }] },
      ask('What is the total?'),
    ],
  }
  await post(PATH, body)
  const sent = JSON.parse(upstream.last().body.toString())
  const inserted = sent.messages[5].content.splice(1, 2)
  t.strictSame(sent, body)
  t.strictSame(inserted, [
    { type: 'text', text: NOTE },
    { type: 'image_url', image_url: { url: CROP_URL } },
  ])
})

t.test('without an image, and where it skips, the forwarded bytes are the received bytes', async t => {
  const { post, upstream, engine } = await proxied(t, { TARGET_FULL_EDGE: '2000' })
  for (const [body, decision, reason] of [
    ['{ "messages" : [{"role":"user","content":"hi \\u00e9"}] }', 'skipped', 'no_image'],
    [
      `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"${PAGE_URL}"}}]}] } `,
      'skipped',
      'no_question',
    ],
    [`{"messages": [${JSON.stringify(ask('What is the total?'))}]}`, 'skipped', 'sees_all'],
    ['{"messages":[{"role":"user"', 'skipped', 'not_json'],
    ['', 'skipped', 'not_json'],
  ] as const) {
    const reply = await post(PATH, body)
    t.equal(upstream.last().body.toString(), body)
    t.equal(reply.headers.get('x-cropvlm-decision'), decision)
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
    t.equal(reply.headers.get('x-cropvlm-boxes'), '[]')
    t.equal(await reply.text(), CHAT_REPLY)
  }
  t.equal(jobsOf(engine, 'locate').length, 1)
})

t.test('the header and the field of the body say when to zoom; the field is taken out', async t => {
  const { post, upstream, engine } = await proxied(t, { TARGET_FULL_EDGE: '2000' })
  const messages = JSON.stringify([ask('What is the total?')])
  const always = await post(PATH, `{"cropvlm":{"zoom":"always","resolution":256,"expand":2}, "messages":${messages}}`)
  t.equal(always.headers.get('x-cropvlm-decision'), 'zoomed')
  t.notMatch(upstream.last().body.toString(), 'cropvlm')
  t.match(upstream.last().body.toString(), /^\{"messages":/)
  t.match(jobsOf(engine, 'locate')[0], { resolution: 256, questions: ['What is the total?'] })
  t.match(JSON.parse(always.headers.get('x-cropvlm-boxes') ?? ''), [{ bbox: [0, 0, 95, 56] }])
  const header = await post(PATH, `{"messages":${messages}}`, { 'x-cropvlm-zoom': 'always' })
  t.equal(header.headers.get('x-cropvlm-decision'), 'zoomed')
  t.notOk(upstream.last().headers['x-cropvlm-zoom'])
  for (const [body, headers] of [
    [`{"messages":${messages},"cropvlm":{"zoom":"off"}}`, {}],
    [`{"messages":${messages},"cropvlm":{"zoom":"always"}}`, { 'x-cropvlm-zoom': 'off' }],
  ] as const) {
    const off = await post(PATH, body, headers)
    t.equal(off.headers.get('x-cropvlm-decision'), 'off')
    t.strictSame(JSON.parse(upstream.last().body.toString()), { messages: JSON.parse(messages) })
  }
})

t.test('a wrong option is told, and nothing is forwarded', async t => {
  const { post, upstream } = await proxied(t)
  for (const [field, message] of [
    ['{"zoom":"never"}', '`cropvlm.zoom` must be one of off, auto, always.'],
    ['{"zom":"off"}', '`cropvlm.zom` is not an option; those are zoom, resolution, expand, max_images.'],
    ['{"expand":99}', '`cropvlm.expand` must be a number from 1 to 10.'],
    ['"off"', '`cropvlm` must be an object of options.'],
  ]) {
    const reply = await post(PATH, `{"messages":[],"cropvlm":${field}}`)
    t.equal(reply.status, 400)
    t.match(await reply.json(), { error: { message } })
  }
  const reply = await post(PATH, '{"messages":[]}', { 'x-cropvlm-zoom': 'yes' })
  t.match(await reply.json(), { error: { message: 'The header x-cropvlm-zoom must be one of off, auto, always.' } })
  t.equal(upstream.requests.length, 0)
})

t.test('ZOOM=off forwards all, unless a request says otherwise', async t => {
  const { post, upstream } = await proxied(t, { ZOOM: 'off' })
  const body = JSON.stringify({ messages: [ask('What is the total?')] })
  t.equal((await post(PATH, body)).headers.get('x-cropvlm-decision'), 'off')
  t.equal(upstream.last().body.toString(), body)
  t.equal((await post(PATH, body, { 'x-cropvlm-zoom': 'auto' })).headers.get('x-cropvlm-decision'), 'zoomed')
  t.match(upstream.last().body.toString(), crop())
})

t.test('of several images the last gets a crop, or as many as are allowed; each says of which it is', async t => {
  const { post, upstream } = await proxied(t)
  const images = [PAGE_URL, OTHER_URL].map(url => ({ type: 'image_url', image_url: { url } }))
  const messages = [{ role: 'user', content: [...images, { type: 'text', text: 'Which is larger?' }] }]
  const [one, two] = images.map(image => JSON.stringify(image))
  const around = (content: string) =>
    `{"messages":[{"role":"user","content":[${content},{"type":"text","text":"Which is larger?"}]}]}`
  await post(PATH, { messages })
  t.equal(upstream.last().body.toString(), around(`${one},${two}${crop(2)}`))
  const both = await post(PATH, { messages, cropvlm: { max_images: 2 } })
  t.equal(upstream.last().body.toString(), around(`${one}${crop(1)},${two}${crop(2)}`))
  t.match(JSON.parse(both.headers.get('x-cropvlm-boxes') ?? ''), [{ part: 0 }, { part: 1 }])
})

t.test('ZOOM_MAX_IMAGES, ZOOM_NOTE and ZOOM_DETAIL', async t => {
  const { post, upstream } = await proxied(t, { ZOOM_MAX_IMAGES: '2', ZOOM_NOTE: '', ZOOM_DETAIL: 'low-high' })
  const content = [
    { type: 'image_url', image_url: { url: PAGE_URL, detail: 'auto' } },
    { type: 'image_url', image_url: { url: OTHER_URL } },
    { type: 'text', text: 'Which?' },
  ]
  await post(PATH, { messages: [{ role: 'user', content }] })
  const zoomed = { type: 'image_url', image_url: { url: CROP_URL, detail: 'high' } }
  t.strictSame(JSON.parse(upstream.last().body.toString()).messages[0].content, [
    { type: 'image_url', image_url: { url: PAGE_URL, detail: 'low' } },
    zoomed,
    { type: 'image_url', image_url: { url: OTHER_URL, detail: 'low' } },
    zoomed,
    { type: 'text', text: 'Which?' },
  ])
})

t.test('JPEG from a JPEG, PNG from a PNG, at the edge of the crop', async t => {
  const { post, engine } = await proxied(t, { TARGET_CROP_EDGE: '640' })
  const jpeg = Buffer.concat([Buffer.from('ffd8ffc0001108', 'hex'), Buffer.from('03e803e803', 'hex'), Buffer.alloc(16)])
  await post(PATH, { messages: [ask('Total?')] })
  await post(PATH, { messages: [ask('Total?', `data:image/jpeg;base64,${jpeg.toString('base64')}`)] })
  t.match(
    jobsOf(engine, 'render').flatMap(({ pictures }) => pictures),
    [
      { show: 'region', format: 'png', packing: 'small', longestEdge: 640, region: [12, 5, 80, 47] },
      { show: 'region', format: 'jpeg', quality: 90, packing: 'small', longestEdge: 640 },
    ],
  )
})

t.test('links and files of the upstream are left alone', async t => {
  const { post, upstream, engine } = await proxied(t)
  for (const [url, reason] of [
    ['https://example.com/a.png', 'image_url'],
    ['HTTP://127.0.0.1/a.png', 'image_url'],
    ['file:///etc/passwd', 'image_file'],
  ] as const) {
    const body = JSON.stringify({ messages: [ask('Total?', url)] })
    const reply = await post(PATH, body)
    t.equal(upstream.last().body.toString(), body)
    t.equal(reply.headers.get('x-cropvlm-decision'), 'skipped')
    t.equal(reply.headers.get('x-cropvlm-reason'), reason)
  }
  t.equal(engine.jobs.length, 0)
})

t.test('where there is no box the request goes on as it came', async t => {
  const locate = (job: Parameters<typeof located>[0]) =>
    located(job, { box: [0, 0, 100, 100], decision: 'fallback', reason: 'no_box' })
  const { post, upstream, engine } = await proxied(t, {}, { locate })
  const body = JSON.stringify({ messages: [ask('Total?')] })
  const reply = await post(PATH, body)
  t.equal(upstream.last().body.toString(), body)
  t.equal(reply.headers.get('x-cropvlm-decision'), 'fallback')
  t.equal(reply.headers.get('x-cropvlm-reason'), 'no_box')
  t.equal(jobsOf(engine, 'render').length, 0, 'no picture is made that nobody gets')
})
