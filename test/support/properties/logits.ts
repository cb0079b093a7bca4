/** Models that say anything: each row of logits is one of the kinds that a decoder must stand. */
import fc from 'fast-check'
import { seeded } from '../scripted.js'

type Kind =
  | 'random'
  | 'equal'
  | 'few values'
  | 'huge'
  | 'tiny'
  | 'nothing'
  | 'one'
  | 'one infinite'
  | 'all infinite'
  | 'some infinite'

/** Of each row its kind and a number that it is made from; they repeat where an answer has more tokens. */
export type Says = readonly { kind: Kind; seed: number }[]

export const rows: fc.Arbitrary<Says> = fc.array(
  fc.record({
    kind: fc.constantFrom<Kind>(
      'random',
      'equal',
      'few values',
      'huge',
      'tiny',
      'nothing',
      'one',
      'one infinite',
      'all infinite',
      'some infinite',
    ),
    seed: fc.nat(),
  }),
  { minLength: 1, maxLength: 20 },
)

/** As `decode` wants it. The logits depend on all tokens before them, and on nothing else. */
export function modelOf(says: Says, vocabulary: number) {
  const fed: number[] = []
  let calls = 0
  const logits = () => {
    const { kind, seed } = says[fed.length % says.length] as Says[number]
    const random = seeded(fed.reduce((hash, token) => Math.imul(hash ^ token, 0x01000193) + 7, seed))
    const chosen = Math.floor(random() * vocabulary)
    const value = MAKERS[kind](random, chosen)
    const row = new Float32Array(vocabulary)
    for (let token = 0; token < vocabulary; token++) row[token] = value(token)
    return row
  }
  return async (tokens: readonly number[], rewind: number): Promise<Float32Array[]> => {
    fed.splice(fed.length - rewind)
    const given = calls++ === 0 ? [logits()] : []
    for (const token of tokens) {
      fed.push(token)
      given.push(logits())
    }
    return given
  }
}

const INFINITE = Number.POSITIVE_INFINITY
const MAX = 3.4e38

/** The value of each token; NaN is not among them, because it is an error (`model_failed`). */
const MAKERS: Record<Kind, (random: () => number, chosen: number) => (token: number) => number> = {
  random: random => () => random() * 40 - 20,
  equal: (_, chosen) => () => chosen,
  'few values': random => () => Math.floor(random() * 3),
  huge: random => () => (random() * 2 - 1) * MAX,
  tiny: random => () => random() * 1e-40,
  nothing: () => () => -INFINITE,
  one: (_, chosen) => token => (token === chosen ? 0 : -INFINITE),
  'one infinite': (random, chosen) => token => (token === chosen ? INFINITE : random()),
  'all infinite': () => () => INFINITE,
  'some infinite': random => () => (random() < 0.3 ? INFINITE : random() < 0.5 ? -INFINITE : random()),
}
