import t from 'tap'
import { type RefusedForm, rememberedForm } from '../../../src/openai/request/forms.js'

/** Takes forms from this number on, and notes each that it is asked in. */
function endpoint(least: number) {
  const asked: number[] = []
  const call = async (form: number) => {
    asked.push(form)
    if (form < least) throw new Error(`not ${form}`)
    return `taken ${form}`
  }
  return { asked, call }
}

const upTo =
  (most: number) =>
  ({ form, first }: RefusedForm<number>) => {
    if (form === most) throw first
    return form + 1
  }

t.test('the form that is taken is remembered', async t => {
  const forms = rememberedForm(1, upTo(3))
  const { asked, call } = endpoint(2)
  t.equal(await forms.ask(call), 'taken 2')
  t.equal(await forms.ask(call), 'taken 2')
  t.same(asked, [1, 2, 2])
})

t.test('where none is taken, what the rule throws is told, and nothing is remembered', async t => {
  const forms = rememberedForm(1, upTo(3))
  const { asked, call } = endpoint(9)
  await t.rejects(forms.ask(call), { message: 'not 1' })
  await t.rejects(forms.ask(call), { message: 'not 1' })
  t.same(asked, [1, 2, 3, 1, 2, 3])
})
