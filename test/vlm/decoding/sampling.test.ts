import t from 'tap'
import { likeliest, logProbability, pickToken } from '../../../src/vlm/decoding/sampling.js'
import { seeded } from '../../support/scripted.js'

const logits = Float32Array.of(0.5, 3, 3, -1, 2)
const never = () => {
  throw new Error('greedy needs no random number')
}

t.test('greedy takes the highest, the lowest id among equals, within what is allowed', async t => {
  t.equal(pickToken(logits, null, 0, never), 1)
  t.equal(pickToken(logits, [2, 4], 0, never), 2)
  t.equal(pickToken(logits, [0, 3], 0, never), 0)
})

t.test('sampling follows softmax(logits / temperature) over what is allowed', async t => {
  const random = seeded(5)
  const DRAWS = 20_000
  const shares = (allowed: number[] | null, temperature: number) => {
    const counts = new Float64Array(logits.length)
    for (let i = 0; i < DRAWS; i++) {
      const token = pickToken(logits, allowed, temperature, random)
      counts[token] = (counts[token] ?? 0) + 1
    }
    return [...counts].map(count => count / DRAWS)
  }
  const expected = (allowed: number[], temperature: number) => {
    const weights = [...logits].map((logit, i) => (allowed.includes(i) ? Math.exp(logit / temperature) : 0))
    const sum = weights.reduce((a, b) => a + b)
    return weights.map(weight => weight / sum)
  }
  for (const [allowed, temperature] of [
    [[0, 1, 2, 3, 4], 1],
    [[0, 3, 4], 2],
  ] as const) {
    const want = expected([...allowed], temperature)
    shares(allowed.length === 5 ? null : [...allowed], temperature).forEach((share, i) => {
      t.ok(Math.abs(share - (want[i] as number)) < 0.015, `token ${i}: ${share} is near ${want[i]}`)
    })
  }
})

t.test('log-probabilities are over the whole vocabulary and stay finite for large logits', async t => {
  const top = Math.max(...logits)
  const sum = [...logits.keys()].reduce((total, token) => total + Math.exp(logProbability(logits, token, top)), 0)
  t.ok(Math.abs(sum - 1) < 1e-9)
  t.ok(Math.abs(logProbability(Float32Array.of(1e4, 1e4), 0, 1e4) + Math.LN2) < 1e-9)
})

t.test('logits that are no numbers are an error, wherever they stand', async t => {
  const error = { code: 'model_failed', message: /MODEL_PRECISION/, details: { reason: 'no_numbers' } }
  const none = new Float32Array(4).fill(Number.NaN)
  t.throws(() => likeliest(none), error)
  t.throws(() => pickToken(none, [1, 2], 0, Math.random), error)
  t.throws(() => pickToken(Float32Array.of(Number.NaN, 1), [0, 1], 0, never), error)
  t.throws(() => pickToken(none, null, 1, Math.random), error)
  for (let at = 0; at < 4; at++) {
    const one = Float32Array.from([1, 2, 3, 4])
    one[at] = Number.NaN
    t.throws(() => logProbability(one, 0, 4), error, `the one at ${at}`)
  }
})

t.test('of logits of which some are infinite, those that are highest share all the probability', async t => {
  const [up, down] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  t.equal(logProbability(Float32Array.of(up, 0, 1), 0, up), 0)
  t.equal(logProbability(Float32Array.of(up, 0, 1), 1, up), down)
  t.equal(logProbability(Float32Array.of(up, up), 1, up), -Math.LN2)
  t.equal(logProbability(Float32Array.of(down, down), 0, down), -Math.LN2)
  t.equal(
    pickToken(Float32Array.of(down, up, up), null, 1, () => 0.9),
    2,
  )
  t.equal(
    pickToken(Float32Array.of(down, down, up), [0, 1], 1, () => 0.6),
    1,
  )
})
