/** A model folder whose files fail or work for ever on some questions: who asks such a one gets an error, who asks next an answer. */
import t from 'tap'
import type { Envelope } from '../support/fakes/app.js'
import { png } from '../support/images/pictures.js'
import { copy } from '../support/model-folders/broken.js'
import { splittingBy } from '../support/model-folders/patterns.js'
import { startReal } from '../support/real.js'

t.setTimeout(120_000)

const folder = copy(t)
folder.edit('tokenizer.json', splittingBy('(z+)+#'))
folder.edit('chat_template.json', ({ chat_template }) => ({
  chat_template: `${chat_template}{% if 'refuse' in messages[0].content[1].text %}{{ raise_exception('no') }}{% endif %}`,
}))
folder.rehash()

const { url, engine } = await startReal(t, { CROPPER_MODEL: folder.dir, LOCAL_TARGET_MODEL: '' })
const page = png(80, 60).toString('base64')

async function ask(question: string): Promise<{ status: number; body: { bbox: number[] } & Envelope }> {
  const response = await fetch(`${url}/crop`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ image: page, question }),
  })
  return { status: response.status, body: (await response.json()) as { bbox: number[] } & Envelope }
}

for (const [question, why] of [
  ['z'.repeat(1900), /took longer than 1000 ms/],
  ['Please refuse', /could not write a prompt for this question \(no\)/],
] as const)
  t.test(`${question.slice(0, 20)}, and another question right after it`, async t => {
    const failures = engine.modelFailures
    const [first, next] = await Promise.all([ask(question), ask('What is the total?')])
    t.match(first, { status: 500, body: { error: { code: 'model_failed', message: why } } })
    t.equal(next.status, 200)
    t.equal(next.body.bbox.length, 4)
    t.equal(engine.modelFailures, failures + 1)
    t.equal(engine.restarts, 0, 'by the same process')
  })
