/** Rows 1 to 4: bodies that are empty, broken, or of another kind. */
import { FormData } from 'undici'
import type { Row } from '../../row.js'
import { QUESTION, type Reply } from '../../world/client.js'
import { page } from '../../world/pictures/page.js'
import { each, type World } from '../../world/world.js'

export const CONTENT: readonly Row[] = [
  {
    number: 1,
    fault: 'empty body or image',
    behaviour: '400 `invalid_body` for a body, `missing_field` for an image',
    isShort: true,
    run: empty,
  },
  { number: 2, fault: 'malformed JSON', behaviour: '400 `invalid_body`', isShort: true, run: malformed },
  {
    number: 3,
    fault: 'unknown content type',
    behaviour: '415 `unsupported_content_type`; 400 `invalid_body` for a form without its boundary',
    isShort: true,
    run: contentTypes,
  },
  {
    number: 4,
    fault: '`__proto__` keys',
    behaviour: '400 `invalid_body` or `unknown_option`; no prototype is changed',
    isShort: true,
    run: prototypes,
  },
]

async function empty(world: World): Promise<string> {
  const service = await world.shared()
  const cases: Record<string, [send: () => Promise<Reply>, code: 'invalid_body' | 'missing_field']> = {
    'no byte of JSON': [() => service.json(''), 'invalid_body'],
    'nothing at all': [() => service.post(null), 'invalid_body'],
    'a form without parts': [() => service.post(new FormData()), 'missing_field'],
    'an empty file': [() => service.crop(Buffer.alloc(0)), 'missing_field'],
    'an empty text': [() => service.json({ image: '', question: QUESTION }), 'missing_field'],
    'an empty data URL': [() => service.json({ image: 'data:image/png;base64,', question: QUESTION }), 'missing_field'],
    'an image that is null': [() => service.json({ image: null, question: QUESTION }), 'missing_field'],
  }
  return await each(cases, async ([send, code]) => world.refused(await send(), `400 ${code}`))
}

async function malformed(world: World): Promise<string> {
  const service = await world.shared()
  const bodies = {
    cut: '{"image": "',
    words: 'What is the total?',
    'a list': '[1, 2]',
    null: 'null',
    'a number': '17',
    NaN: '{"image": NaN, "question": "q"}',
    'a comma too many': '{"question": "q",}',
    'no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    'deep nesting': '['.repeat(200_000),
  }
  return await each(bodies, async body => world.refused(await service.json(body), '400 invalid_body'))
}

async function contentTypes(world: World): Promise<string> {
  const service = await world.shared()
  const send = (type: string) => service.post('question=q', { headers: { 'content-type': type } })
  const types = ['text/plain', 'application/x-www-form-urlencoded', 'image/png', 'application/xml', 'nonsense']
  const unknown = await each(Object.fromEntries(types.map(type => [type, type])), async type =>
    world.refused(await send(type), '415 unsupported_content_type'),
  )
  return `${unknown}; no boundary: ${world.refused(await send('multipart/form-data'), '400 invalid_body')}`
}

async function prototypes(world: World): Promise<string> {
  const service = await world.shared()
  const image = (await page()).toString('base64')
  const bodies = {
    'at the top': `{"__proto__": {"zoom": "never"}, "image": "${image}", "question": "q"}`,
    'a constructor': `{"constructor": {"prototype": {"zoom": "never"}}, "image": "${image}", "question": "q"}`,
    'within the image': `{"image": {"__proto__": {"url": "${image}"}}, "question": "q"}`,
  }
  const seen = await each(bodies, async body => world.refused(await service.json(body), '400 invalid_body'))
  const names = { 'in a form': '__proto__', 'a method in a form': 'toString' }
  const forms = await each(names, async name =>
    world.refused(await service.crop(await page(), { [name]: 'x' }), ['400 unknown_option', '400 invalid_body']),
  )
  return `${seen}; ${forms}`
}
