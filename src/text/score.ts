import type { Candidate, Features } from './candidates.js'
import type { KindName } from './kinds.js'

type Weights = Readonly<Partial<Record<keyof Features, number>>>

/** What counts for a name: where a heading stands, unless a label tells. */
const NAME: Weights = { shape: 2, pureLink: 2, covered: 5, prominence: 0.5, first: 6, centred: 2 }
/** What counts for values of a kind: the label that they belong to. */
const VALUE: Weights = { shape: 5, link: 3, pureLink: 1.5, covered: 1, prominence: 0.3, first: 0.3 }
/** What counts for a sum besides. */
const SUM: Weights = {
  shape: 3,
  link: 6,
  pureLink: 1,
  covered: 1,
  prominence: 1.5,
  alone: 1,
  last: 0.3,
  largest: 4,
  repeated: 0.5,
  addsUp: 3,
}
/** What counts where the question asks for no kind. */
const ANY: Weights = { link: 5, pureLink: 1, covered: 2 }

export function weightsFor(kind: KindName | null, asksForSum: boolean): Weights {
  if (kind === null) return ANY
  if (kind === 'name') return NAME
  return kind === 'amount' && asksForSum ? SUM : VALUE
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
