import t from 'tap'
import { MAX_REPLY_BYTES, readText } from '../../../src/openai/reply/bounded-text.js'

/** A body of these chunks, which tells how many were taken and whether it was given up. */
function bodyOf(chunks: readonly (string | Uint8Array)[]) {
  const state = { taken: 0, isLeft: false }
  async function* body() {
    try {
      for (const chunk of chunks) {
        state.taken++
        yield Buffer.from(chunk)
      }
    } finally {
      state.isLeft = state.taken < chunks.length
    }
  }
  return { body: body(), state }
}

t.test('the whole text, letters that two chunks share included', async t => {
  const bytes = Buffer.from('\ufeff{"a": "ü😀"}')
  const single = [...bytes].map(byte => new Uint8Array([byte]))
  t.equal(await readText(bodyOf(single).body), '{"a": "ü😀"}')
  t.equal(await readText(bodyOf([]).body), '')
  t.equal(await readText(null), '')
})

t.test('the end of an event stream is the end, wherever its chunks are cut', async t => {
  const text = 'data: {}\n\ndata: [DONE]'
  for (let at = 1; at < text.length; at++) {
    const { body, state } = bodyOf([text.slice(0, at), text.slice(at), '\n\n', 'more'])
    t.equal(await readText(body), text)
    t.match(state, { taken: 2, isLeft: true })
  }
  const json = '{"content": "data: [DONE]"}'
  t.equal(await readText(bodyOf([json, ' ']).body), `${json} `, 'within a text it is none')
})

t.test('more than the limit is left where it is', async t => {
  const chunk = new Uint8Array(1024 * 1024)
  const most = MAX_REPLY_BYTES / chunk.length
  t.equal((await readText(bodyOf(Array(most).fill(chunk)).body)).length, MAX_REPLY_BYTES)
  const { body, state } = bodyOf(Array(100).fill(chunk))
  await t.rejects(readText(body), { name: 'OddReply', message: 'it is longer than 4 MiB' })
  t.match(state, { taken: most + 1, isLeft: true })
})
