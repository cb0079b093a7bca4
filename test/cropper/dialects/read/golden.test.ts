/** Replies are read as the trainer reads them for its seed boxes, which wrote `fixtures/golden/replies.json`. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { reader } from '../../../../src/cropper/dialects/read/read.js'

interface Case {
  reply: string
  box: number[] | null
}

const { cases } = JSON.parse(readFileSync('test/fixtures/golden/replies.json', 'utf8')) as { cases: Case[] }
const read = reader()

t.test('the first box of each reply, or none', async t => {
  t.ok(cases.length > 50 && cases.some(({ box }) => box === null))
  for (const [index, { reply, box }] of cases.entries()) {
    t.same(read({ text: reply, toolCalls: [] })?.numbers ?? null, box, `case ${index}`)
  }
})
