import type { PlacedLine } from './layout.js'
import type { Question } from './question.js'
import { likeness } from './words.js'

/** BM25's own constants, as they are usually taken. */
const [K1, B] = [1.2, 0.75]

export interface Match {
  /** BM25 of the question's words in the line, over that of the line that fits best: 0..1. */
  score: number
  /** The part of the line's words that the question has, 0..1. */
  purity: number
  /** For each word of the question, how much of all their weight the line has by it; together at most 1. */
  parts: readonly number[]
}

export interface Matches {
  /** One a line, in their order. */
  lines: readonly Match[]
  /** For each word of the question its part of all their weight. A word that few lines have counts more. */
  shares: readonly number[]
}

/** How well each line matches the question's words. */
export function matchLines(placed: readonly PlacedLine[], { words }: Question): Matches {
  const lines = placed.map(line => line.words.all)
  const length = lines.reduce((sum, line) => sum + line.length, 0) / Math.max(1, lines.length) || 1
  const asked = [...words].map(([word, weight]) => {
    const likenesses = lines.map(line => line.reduce((sum, seen) => sum + likeness(word, seen), 0))
    const having = likenesses.filter(found => found > 0).length
    return { word, likenesses, weight: weight * Math.log(1 + (lines.length - having + 0.5) / (having + 0.5)) }
  })
  const scores = lines.map((line, i) =>
    asked.reduce((sum, { likenesses, weight }) => {
      const count = likenesses[i] as number
      return sum + (weight * count * (K1 + 1)) / (count + K1 * (1 - B + (B * line.length) / length))
    }, 0),
  )
  const highest = Math.max(0, ...scores)
  const total = asked.reduce((sum, { weight }) => sum + weight, 0)
  return {
    lines: placed.map((line, i) => ({
      score: highest === 0 ? 0 : (scores[i] as number) / highest,
      purity: purity(line.words.telling, words),
      parts: asked.map(({ likenesses, weight }) =>
        total === 0 ? 0 : (weight * Math.min(1, likenesses[i] ?? 0)) / total,
      ),
    })),
    shares: asked.map(({ weight }) => (total === 0 ? 0 : weight / total)),
  }
}

function purity(telling: readonly string[], words: Question['words']): number {
  const named = telling.filter(word => /\p{L}/u.test(word))
  const letters = named.reduce((sum, word) => sum + word.length, 0)
  const known = named.filter(word => [...words.keys()].some(asked => likeness(asked, word) > 0))
  return letters === 0 ? 0 : known.reduce((sum, word) => sum + word.length, 0) / letters
}
