import t from 'tap'
import { openSessions, type Session } from '../../../src/vlm/onnx/session.js'
import { placeFeatures, TokenEmbeddings } from '../../../src/vlm/tokens/embeddings.js'
import { MODELS } from '../../support/goldens.js'

const IMAGE = 9
const ids = [1, IMAGE, 2, IMAGE]
const embeds = () => Float32Array.of(1, 1, 0, 0, 2, 2, 0, 0)

t.test("each image token gets the next row of the images' features", async t => {
  const placed = embeds()
  placeFeatures(
    placed,
    ids,
    [5, 7].map(n => ({ data: Float32Array.of(n, n + 1), dim: 2 })),
    IMAGE,
  )
  t.same([...placed], [1, 1, 5, 6, 2, 2, 7, 8])
})

t.test('features that do not fit the prompt or the embeddings are an error, not a garbled picture', async t => {
  const place = (length: number, dim: number) => () =>
    placeFeatures(embeds(), ids, [{ data: new Float32Array(length), dim }], IMAGE)
  t.throws(place(6, 2), { message: /places for 2 rows of features, the tiles gave 3/ })
  t.throws(place(2, 2), { message: /places for 2 rows of features, the tiles gave 1/ })
  t.throws(place(2, 1), { message: /features are 1 wide, token embeddings 2/ })
})

t.test('an id has the same embedding wherever it stands, asked for anew or kept', async t => {
  const { sessions } = await openSessions([`${MODELS}tiny/onnx/embed_tokens.onnx`], 'cpu', 1)
  const session = sessions[0] as Session
  let runs = 0
  const embeddings = new TokenEmbeddings({
    inputs: session.inputs,
    close: () => session.close(),
    run: async feeds => {
      runs++
      return await session.run(feeds)
    },
  })
  t.teardown(() => session.close())
  const text = Array.from({ length: 300 }, (_, i) => i)
  const all = await embeddings.of(text)
  t.equal(all.length, 300 * 64)
  const rows = (...ids: number[]) => ids.flatMap(id => [...all.subarray(id * 64, (id + 1) * 64)])
  const step = async (...ids: number[]) => t.same([...(await embeddings.ofStep(ids))], rows(...ids), `${ids}`)
  await step(3, 4, 3)
  t.equal(runs, 2, 'a prompt is not kept')
  await step(4, 3, 3, 4)
  t.equal(runs, 2, 'a step is')
  await step(4, 5)
  t.equal(runs, 3, 'one of two is not known')
  for (const id of text) await step(id)
  t.equal(runs, 300)
  await step(299)
  t.equal(runs, 300)
  await step(3)
  t.equal(runs, 301, 'what was not asked for in a long time is forgotten')
})
