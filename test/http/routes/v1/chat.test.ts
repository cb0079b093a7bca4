/** Chat requests through the proxy: what of their bytes changes, and what not. */
import t from 'tap'
import { ask, CROP_URL, NOTE, PAGE_URL, proxied } from '../../../support/fakes/proxy.js'
import { CHAT_REPLY } from '../../../support/fakes/recorder.js'

t.test('an image and a question: the crop stands behind the image, and every other byte is as it came', async t => {
  const { post, upstream } = await proxied(t)
  const head = '{ "seed":12345678901234567890,\n "model" : "vlm", "temperature":0.10, "temperature":0.20,'
  const image = `{"image_url" : {"detail":"high","url":"${PAGE_URL.replaceAll('/', '\\/')}"},"type":"image_url"}`
  const tail = ' ,{"type":"text","text":"Total\\u003f ☃"}] } ] , "mm_processor_kwargs":{"a":1.0}, "metadata":null}\n'
  const before = `${head}"messages":[{"role":"system","content":"x"},{"role":"user","content":[ ${image}`
  const reply = await post('/v1/chat/completions', before + tail)
  const crop = `,{"type":"text","text":"${NOTE}"},{"type":"image_url","image_url":{"url":"${CROP_URL}","detail":"high"}}`
  t.equal(upstream.last().body.toString(), before + crop + tail)
  t.equal(upstream.last().headers['content-length'], String(Buffer.byteLength(before + crop + tail)))
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
