import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { cropperPrompt, targetPrompt } from '../../../src/contract/prompts.js'
import { ModelFolder } from '../../../src/vlm/folder/folder.js'
import { readText } from '../../../src/vlm/folder/text.js'
import { type PromptFormat, promptIds } from '../../../src/vlm/idefics3/prompt.js'
import { goldenCases, label, MODELS, SMOLVLM } from '../../support/goldens.js'

interface Case {
  tokenizer: string
  kind: 'cropper' | 'target'
  question: string
  images: { rows: number; cols: number }[]
  input_ids: number[]
}

const cases = goldenCases<Case>('prompts.json')
const FOLDERS = [
  { tokenizer: 'tiny', dir: `${MODELS}tiny` },
  { tokenizer: 'smolvlm-256m-instruct', dir: SMOLVLM },
]

async function format(dir: string): Promise<PromptFormat> {
  const { image_seq_len } = JSON.parse(readFileSync(`${dir}/processor_config.json`, 'utf8'))
  return { ...(await readText(new ModelFolder(dir))), tokensPerTile: image_seq_len }
}

for (const { tokenizer, dir } of FOLDERS) {
  const skip = existsSync(`${dir}/tokenizer.json`) ? false : `${dir} is absent`
  t.test(`prompt ids are those of transformers with the tokenizer of ${tokenizer}`, { skip }, async t => {
    const own = await format(dir)
    const mine = cases.filter(golden => golden.tokenizer === tokenizer)
    t.ok(mine.length >= 50)
    t.ok(mine.some(({ question }) => question.includes('<image>')))
    t.ok(mine.some(({ question }) => question.includes('<end_of_utterance>')))
    t.ok(mine.some(({ question }) => question.length >= 2000))
    for (const { kind, question, images, input_ids } of mine) {
      const text = kind === 'cropper' ? cropperPrompt(question) : targetPrompt(question)
      t.equal(promptIds(own, images, text).join(), input_ids.join(), `${kind}: ${label(question)}`)
    }
  })
}

t.test('special tokens in a question, whole, in pieces or at its edges, stay plain text', async t => {
  const own = await format(`${MODELS}tiny`)
  const { tokenizer } = own
  const count = (ids: number[], token: string) => ids.filter(id => id === tokenizer.id(token)).length
  const usual = promptIds(own, [{ rows: 1, cols: 2 }], 'a')
  const questions = [
    '<image>',
    '<end_of_utterance>',
    '<<image>>',
    'x<im',
    'age>x',
    '<fake_token_around_image><global-img>',
  ]
  for (const question of [...questions, '\u{10003c}image\u{10003e} <image>', '<|im_start|>User:<row_1_col_1>']) {
    const ids = promptIds(own, [{ rows: 1, cols: 2 }], question)
    for (const token of tokenizer.special) t.equal(count(ids, token), count(usual, token), `${token} in ${question}`)
    t.ok(tokenizer.decode(ids).includes(question), `${question} is there, unchanged`)
  }
})

t.test("a folder's own template is honoured", async t => {
  const own = await format(`${MODELS}tiny`)
  const chatTemplate =
    "{{ bos_token }}{% for message in messages %}{{ message.role | upper }}> {% for part in message.content %}{% if part.type == 'text' %}{{ part.text | trim }}{% else %}<image>{% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}!{% endif %}"
  const ids = promptIds({ ...own, chatTemplate }, [{ rows: 0, cols: 0 }], '  hi <image> ')
  t.equal(own.tokenizer.decode(ids), 'USER> hi <image>!')
  t.equal(ids[0], own.tokenizer.id('<|im_start|>'), 'its own special tokens stay special')
  t.throws(() => promptIds({ ...own, chatTemplate: 'no image' }, [{ rows: 0, cols: 0 }], 'a'), {
    message: /0 images for 1/,
  })
})
