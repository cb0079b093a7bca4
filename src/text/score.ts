import type { Candidate, Features } from './candidates.js'
import type { KindName } from './kinds.js'

type Weights = Readonly<Partial<Record<keyof Features, number>>>

/** What counts for a name: where a heading stands, unless a label tells. */
const NAME: Weights = { shape: 2, news: 1, pureLink: 3, covered: 8, prominence: 1.5, first: 6, centred: 1.5 }
/** What counts for values of a kind: the label that they belong to. */
const VALUE: Weights = { shape: 5, link: 3, pureLink: 1.5, covered: 4, prominence: 0.3, first: 0.3 }
/**
 * What counts for an amount. `last`, `largest`, `repeated` and `addsUp` are 0 for all candidates where the question does not
 * ask for a sum and some line matches its words.
 */
const AMOUNT: Weights = {
  shape: 4,
  link: 6,
  pureLink: 1,
  covered: 1.5,
  prominence: 2,
  alone: 1,
  last: 0.3,
  largest: 4,
  repeated: 1,
  addsUp: 3,
}
/** What counts where the question asks for no kind. */
const ANY: Weights = { news: 3, link: 4, pureLink: 1, covered: 4 }

export function weightsFor(kind: KindName | null): Weights {
  if (kind === null) return ANY
  if (kind === 'name') return NAME
  return kind === 'amount' ? AMOUNT : VALUE
}

/** The candidates with how likely each is the one that is asked for; together 1. The likeliest comes first. */
export function ranked(all: readonly Candidate[], weights: Weights): (Candidate & { share: number })[] {
  const scores = all.map(({ features }) =>
    Object.entries(weights).reduce((sum, [name, weight]) => sum + weight * features[name as keyof Features], 0),
  )
  const highest = Math.max(...scores)
  const powers = scores.map(score => Math.exp(score - highest))
  const total = powers.reduce((sum, power) => sum + power, 0)
  return all
    .map((candidate, i) => ({ ...candidate, share: (powers[i] as number) / total }))
    .sort((a, b) => b.share - a.share)
}
