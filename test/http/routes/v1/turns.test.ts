/** Conversations: the crop belongs to the turn that asked for it, and stays there (point 6). */
import t from 'tap'
import { ask, CROP_URL, NOTE, proxied } from '../../../support/fakes/proxy.js'
import { jobsOf } from '../../../support/fakes/scripted-engine.js'

const PATH = '/v1/chat/completions'
const assistant = (content: string) => ({ role: 'assistant', content })
const PARTS = [
  { type: 'text', text: NOTE },
  { type: 'image_url', image_url: { url: CROP_URL } },
]

/** Each state of a conversation about one image, with tools in between, as a client sends it. */
const TURNS: object[][] = [
  [{ role: 'system', content: 'Be brief.' }, ask('What is the total?')],
  [
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'a', content: '12' },
  ],
  [assistant('31.70'), { role: 'user', content: 'And the date?' }],
  [assistant('17/06'), { role: 'user', content: [{ type: 'text', text: 'Who sold it?' }] }],
  [assistant('Nobody'), ask('What is the total?')],
]

t.test('five turns: each call is the one before it and more, and an image and a question cost one box', async t => {
  const { post, upstream, engine, url } = await proxied(t)
  for (const [i] of TURNS.entries()) {
    const reply = await post(PATH, { model: 'vlm', messages: TURNS.slice(0, i + 1).flat() })
    t.equal(reply.headers.get('x-cropvlm-decision'), 'zoomed')
  }
  const bodies = upstream.requests.map(({ body }) => body.toString())
  for (const [i, body] of bodies.entries())
    if (i > 0) t.ok(body.startsWith(bodies[i - 1]?.slice(0, -2) ?? '?'), `call ${i + 1} goes on from call ${i}`)
  const { messages } = JSON.parse(bodies.at(-1) ?? '')
  const [, first, , , , second, , third, , fourth] = messages
  t.strictSame(first.content.slice(1, 3), PARTS, 'behind its image')
  t.strictSame(second.content, [{ type: 'text', text: 'And the date?' }, ...PARTS], 'a string becomes a list')
  t.strictSame(third.content, [{ type: 'text', text: 'Who sold it?' }, ...PARTS], 'at the end of the content')
  t.match(fourth.content[1], { text: 'The next picture is an enlarged part of image 2.' })
  t.equal(JSON.stringify(messages[2]), JSON.stringify(TURNS[1]?.[0]), 'tools are untouched')
  t.equal(jobsOf(engine, 'locate').length, 3, 'total, date, seller; the last question was asked before')
  const metrics = await (await fetch(`${url}/metrics`)).text()
  t.match(metrics, 'cropvlm_proxy_cache_lookups_total{found="false"} 3')
  t.match(metrics, 'cropvlm_proxy_cache_lookups_total{found="true"} 8')
})

t.test('a crop that was forgotten is found again, and the call is the same', async t => {
  const { post, upstream, engine } = await proxied(t, { ZOOM_CACHE_BYTES: '0' })
  const messages = TURNS.slice(0, 3).flat()
  await post(PATH, { messages })
  await post(PATH, { messages })
  const [one, two] = upstream.requests.map(({ body }) => body.toString())
  t.equal(one, two)
  t.equal(jobsOf(engine, 'locate').length, 4)
})

t.test('another option or another target is another crop', async t => {
  const { post, engine } = await proxied(t)
  const messages = [ask('What is the total?')]
  for (const cropvlm of [{}, { expand: 2 }, { resolution: 256 }, { zoom: 'always' }, {}])
    await post(PATH, { messages, cropvlm })
  t.equal(jobsOf(engine, 'locate').length, 4)
})

t.test('no box is remembered too', async t => {
  const { post, engine } = await proxied(t, { TARGET_FULL_EDGE: '2000' })
  for (const _ of [1, 2]) {
    const reply = await post(PATH, { messages: [ask('What is the total?')] })
    t.equal(reply.headers.get('x-cropvlm-reason'), 'sees_all')
  }
  t.equal(jobsOf(engine, 'locate').length, 1)
})
