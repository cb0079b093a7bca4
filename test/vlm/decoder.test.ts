import t from 'tap'
import { startDecoder } from '../../src/vlm/decoder.js'
import { floats, openSessions, type Session } from '../../src/vlm/session.js'
import { seeded } from '../scripted.js'
import { MODELS } from './goldens.js'

const SHAPE = { heads: 2, headDim: 16 }
const CAPACITY = 96
const VOCABULARY = 352

const open = async (folder: string) => {
  const files = ['embed_tokens', 'decoder_model_merged'].map(graph => `${MODELS}${folder}/onnx/${graph}.onnx`)
  const { sessions } = await openSessions(files, 'cpu', 1)
  t.teardown(() => Promise.all(sessions.map(session => session.close())))
  return sessions as [Session, Session]
}
const embed = async (session: Session, tokens: number[]) => {
  const { inputs_embeds } = await session.run({
    input_ids: { data: BigInt64Array.from(tokens, BigInt), dims: [1, tokens.length] },
  })
  if (!inputs_embeds) throw new Error('no embeddings')
  return floats(inputs_embeds)
}
const best = (row: Float32Array) => row.indexOf(Math.max(...row))
const furthest = (a: Float32Array[], b: Float32Array[]) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))))

for (const folder of ['tiny', 'tiny-hub']) {
  t.test(`${folder}: the cache changes nothing`, async t => {
    const [embedding, decoder] = await open(folder)
    const random = seeded(11)
    const tokens = Array.from({ length: 60 }, () => Math.floor(random() * VOCABULARY))
    const all = await startDecoder(decoder, CAPACITY, SHAPE).feed(await embed(embedding, tokens), 60, 60)
    t.equal(all.length, 60)
    t.equal(all[0]?.length, VOCABULARY)

    const stepwise: Float32Array[] = []
    const run = startDecoder(decoder, CAPACITY, SHAPE)
    let from = 0
    for (const length of [20, 1, 1, 3, 1, 5, 1, 1, 7, 20]) {
      const part = tokens.slice(from, from + length)
      stepwise.push(...(await run.feed(await embed(embedding, part), length, length)).map(row => row.slice()))
      from += length
    }
    t.ok(furthest(all, stepwise) < 1e-4, 'in pieces, one and several tokens behind a past')
    const [last] = await startDecoder(decoder, CAPACITY, SHAPE).feed(await embed(embedding, tokens), 60, 1)
    t.ok(last && furthest([last], all.slice(-1)) < 1e-4, 'the last logits alone')
  })

  t.test(`${folder}: greedy decoding with the cache equals decoding without`, async t => {
    const [embedding, decoder] = await open(folder)
    for (let seed = 0; seed < 5; seed++) {
      const random = seeded(seed)
      const prompt = Array.from({ length: 5 + seed * 7 }, () => Math.floor(random() * VOCABULARY))
      const cached = [...prompt]
      const run = startDecoder(decoder, CAPACITY, SHAPE)
      for (let fed = 0; cached.length < prompt.length + 16; ) {
        const next = cached.slice(fed)
        fed = cached.length
        const [row] = await run.feed(await embed(embedding, next), next.length, 1)
        cached.push(best(row as Float32Array))
      }
      const uncached = [...prompt]
      while (uncached.length < cached.length) {
        const fresh = startDecoder(decoder, CAPACITY, SHAPE)
        const [row] = await fresh.feed(await embed(embedding, uncached), uncached.length, 1)
        uncached.push(best(row as Float32Array))
      }
      t.same(cached, uncached)
    }
  })
}

t.test('both layouts are the same model', async t => {
  const tokens = Array.from({ length: 30 }, (_, i) => (i * 37) % VOCABULARY)
  const rows = await Promise.all(
    ['tiny', 'tiny-hub'].map(async folder => {
      const [embedding, decoder] = await open(folder)
      return await startDecoder(decoder, CAPACITY, SHAPE).feed(await embed(embedding, tokens), 30, 30)
    }),
  )
  t.ok(furthest(rows[0] ?? [], rows[1] ?? []) < 1e-3)
})

t.test('more tokens than the cache holds are an error, not a corrupted answer', async t => {
  const [embedding, decoder] = await open('tiny')
  const embeds = await embed(embedding, [1, 2, 3])
  await t.rejects(startDecoder(decoder, 2, SHAPE).feed(embeds, 3, 1), { message: /holds 2 tokens, 3 were fed/ })
})
