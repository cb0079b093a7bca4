import t from 'tap'
import { FusedDecoder, isFused } from '../../../src/vlm/decoding/fused-decoder.js'
import { HubDecoder } from '../../../src/vlm/decoding/hub-decoder.js'
import { floats, openSessions, type Session } from '../../../src/vlm/onnx/session.js'
import { MODELS } from '../../support/goldens.js'
import { seeded } from '../../support/scripted.js'

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
const start = (session: Session) =>
  isFused(session) ? new FusedDecoder(session, 1, CAPACITY, SHAPE).row(0) : new HubDecoder(session, SHAPE)
const best = (row: Float32Array) => row.indexOf(Math.max(...row))
const furthest = (a: Float32Array[], b: Float32Array[]) =>
  Math.max(...a.flatMap((row, i) => Array.from(row, (value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))))

for (const folder of ['tiny', 'tiny-hub']) {
  t.test(`${folder}: the cache changes nothing`, async t => {
    const [embedding, decoder] = await open(folder)
    const random = seeded(11)
    const tokens = Array.from({ length: 60 }, () => Math.floor(random() * VOCABULARY))
    const all = await start(decoder).feed(await embed(embedding, tokens), 60, 60)
    t.equal(all.length, 60)
    t.equal(all[0]?.length, VOCABULARY)

    const stepwise: Float32Array[] = []
    const run = start(decoder)
    let from = 0
    for (const length of [20, 1, 1, 3, 1, 5, 1, 1, 7, 20]) {
      const part = tokens.slice(from, from + length)
      stepwise.push(...(await run.feed(await embed(embedding, part), length, length)).map(row => row.slice()))
      from += length
    }
    t.ok(furthest(all, stepwise) < 1e-4, 'in pieces, one and several tokens after a past')
    const [last] = await start(decoder).feed(await embed(embedding, tokens), 60, 1)
    t.ok(last && furthest([last], all.slice(-1)) < 1e-4, 'the last logits alone')
  })

  t.test(`${folder}: greedy decoding with the cache equals decoding without`, async t => {
    const [embedding, decoder] = await open(folder)
    for (let seed = 0; seed < 5; seed++) {
      const random = seeded(seed)
      const prompt = Array.from({ length: 5 + seed * 7 }, () => Math.floor(random() * VOCABULARY))
      const cached = [...prompt]
      const run = start(decoder)
      for (let fed = 0; cached.length < prompt.length + 16; ) {
        const next = cached.slice(fed)
        fed = cached.length
        const [row] = await run.feed(await embed(embedding, next), next.length, 1)
        cached.push(best(row as Float32Array))
      }
      const uncached = [...prompt]
      while (uncached.length < cached.length) {
        const fresh = start(decoder)
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
      return await start(decoder).feed(await embed(embedding, tokens), 30, 30)
    }),
  )
  t.ok(furthest(rows[0] ?? [], rows[1] ?? []) < 1e-3)
})

/** Ragged prompts of random tokens. */
const prompts = (seed: number, lengths: number[]) => {
  const random = seeded(seed)
  return lengths.map(length => Array.from({ length }, () => Math.floor(random() * VOCABULARY)))
}

t.test('rows side by side are what each is alone, in the prefill and step by step', async t => {
  const [embedding, decoder] = await open('tiny')
  for (let seed = 0; seed < 10; seed++) {
    const texts = prompts(seed, [7 + seed, 23, 4, 15])
    const rows = new FusedDecoder(decoder, 4, CAPACITY, SHAPE)
    const fed = []
    for (const text of texts) fed.push({ embeds: await embed(embedding, text), length: text.length })
    const together = await rows.prefill(fed, 3)
    const alone = texts.map(() => start(decoder))
    for (const [row, { embeds, length }] of fed.entries())
      t.ok(furthest(together[row] ?? [], (await alone[row]?.feed(embeds, length, 3)) ?? []) < 1e-4, `prefill ${row}`)
    for (let step = 0; step < 6; step++) {
      // row 2 is done after two steps and is fed fillers
      const real = texts.map((_, row) => row !== 2 || step < 2 || step === 5)
      const [tokens] = prompts(100 * seed + step, [4])
      const embeds = await embed(embedding, tokens as number[])
      const logits = await rows.step(embeds, real)
      for (const row of texts.keys()) {
        if (!real[row]) continue
        const dim = embeds.length / 4
        const own = await alone[row]?.feed(embeds.slice(row * dim, (row + 1) * dim), 1, 1)
        t.ok(furthest([logits[row] as Float32Array], own ?? []) < 1e-4, `step ${step}, row ${row}`)
      }
    }
  }
})

t.test('tokens taken back leave no trace', async t => {
  const [embedding, decoder] = await open('tiny')
  const [text, wrong, right] = prompts(3, [20, 4, 3]) as [number[], number[], number[]]
  const sequence = new FusedDecoder(decoder, 1, CAPACITY, SHAPE).row(0)
  await sequence.feed(await embed(embedding, [...text, ...wrong]), 24, 1)
  sequence.rewind(4)
  const corrected = await sequence.feed(await embed(embedding, right), 3, 3)
  const straight = await start(decoder).feed(await embed(embedding, [...text, ...right]), 23, 3)
  t.ok(furthest(corrected, straight) < 1e-4)
})

t.test('a prefix saved of one row goes on in another cache', async t => {
  const [embedding, decoder] = await open('tiny')
  const [image, first, second] = prompts(5, [30, 6, 9]) as [number[], number[], number[]]
  const rows = new FusedDecoder(decoder, 2, 60, SHAPE)
  await rows.prefill([{ embeds: await embed(embedding, [...image, ...first]), length: 36 }], 1)
  const saved = rows.save(0, 30)
  t.equal(saved.length, 30)
  t.same(new Set([...saved.parts.values()].map(({ length }) => length)), new Set([2 * 30 * 16]))
  const other = new FusedDecoder(decoder, 3, CAPACITY, SHAPE)
  other.load(2, saved)
  const reused = await other.row(2).feed(await embed(embedding, second), 9, 9)
  const whole = await start(decoder).feed(await embed(embedding, [...image, ...second]), 39, 9)
  t.ok(furthest(reused, whole) < 1e-4)
})

t.test('more tokens than the cache holds are an error, not a corrupted answer', async t => {
  const [embedding, decoder] = await open('tiny')
  const embeds = await embed(embedding, [1, 2, 3])
  const rows = new FusedDecoder(decoder, 1, 2, SHAPE)
  await t.rejects(rows.row(0).feed(embeds, 3, 1), { message: /holds 2 tokens, 3 were fed/ })
})
