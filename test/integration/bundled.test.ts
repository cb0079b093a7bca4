/** The bundled models on the README's page, through the whole service: what a newcomer sees first. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { holds } from '../support/images/boxes.js'
import { startReal } from '../support/real.js'

const bundled = (name: string) => fileURLToPath(new URL(`../../models/${name}`, import.meta.url))
const { app } = await startReal(t, {
  CROPPER_MODEL: bundled('cropvlm-mini'),
  LOCAL_TARGET_MODEL: bundled('smolvlm-mini'),
})

const page = readFileSync(new URL('../../docs/example.png', import.meta.url))
/** Question, answer, and where the answer is on the page, in per cent. */
const questions = [
  ['What is the total?', '31.70', [46.5, 66.4, 53.1, 68.7]],
  ['What is the date?', '17/06', [47.3, 36.5, 53.1, 38.6]],
] as const

for (const [question, answer, line] of questions)
  t.test(question, async t => {
    const payload = { image: page.toString('base64'), question, compare: true }
    const response = await app.inject({ method: 'POST', url: '/answer', payload })
    const reply = response.json()
    t.equal(response.statusCode, 200)
    t.match(reply, { decision: 'zoomed', model: { id: 'cropvlm-mini' }, target: { name: 'local' } })
    const [left, top, right, bottom] = reply.bbox
    t.ok(holds(reply.bbox, line), `${reply.bbox} holds the answer`)
    t.ok((right - left) * (bottom - top) < 1500, 'and is a crop, not the page')
    t.match(reply.answer, answer)
    t.match(reply, { finish_reason: 'stop', refusal: null, reasoning: null })
    t.notMatch(reply.compare.answer, answer, 'which cannot be read on the whole page')
  })

t.test('an answer that max_tokens cuts says so', async t => {
  const payload = { image: page.toString('base64'), question: 'What is the total?', max_tokens: 1 }
  const reply = (await app.inject({ method: 'POST', url: '/answer', payload })).json()
  t.match(reply, { finish_reason: 'length', target: { usage: { completion_tokens: 1 } } })
})
