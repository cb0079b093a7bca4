/** What one line says. */
export interface Reading {
  text: string
  /** Mean probability of the characters, 0..1; 0 where there are none. */
  score: number
}

/**
 * Greedy CTC decoding of one line: the likeliest class of each step, where a class that is repeated counts once and blanks
 * count not at all.
 * @param probabilities `[steps, classes]`.
 * @param characters What each class stands for; the first is the blank.
 */
export function decodeCtc(
  probabilities: Float32Array,
  [steps, classes]: readonly [number, number],
  characters: readonly string[],
): Reading {
  let text = ''
  let [sum, count, last] = [0, 0, 0]
  for (let step = 0; step < steps; step++) {
    const at = step * classes
    let best = 0
    let highest = probabilities[at] as number
    // few values reach a half, and nothing can be above one that does
    for (let i = 1; i < classes && highest < 0.5; i++) {
      const value = probabilities[at + i] as number
      if (value > highest) [best, highest] = [i, value]
    }
    if (best !== 0 && best !== last) {
      text += characters[best] ?? ''
      sum += highest
      count += 1
    }
    last = best
  }
  return { text: text.trim(), score: count === 0 ? 0 : sum / count }
}
