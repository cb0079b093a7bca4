import t from 'tap'
import { embedTokens, placeFeatures } from '../../src/vlm/embeddings.js'
import { openSessions, type Session } from '../../src/vlm/session.js'
import { MODELS } from './goldens.js'

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

t.test('the same id has the same embedding wherever it stands', async t => {
  const { sessions } = await openSessions([`${MODELS}tiny/onnx/embed_tokens.onnx`], 'cpu', 1)
  t.teardown(() => sessions[0]?.close())
  const [a, b] = await Promise.all([[3, 4], [4]].map(some => embedTokens(sessions[0] as Session, some)))
  t.equal(a?.length, 128)
  t.same(a?.subarray(64), b)
})
