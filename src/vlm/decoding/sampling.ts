/** Choosing one token from the logits over the vocabulary. */

/**
 * Greedy at temperature 0 (the lowest id among equals), else a draw from softmax(logits / temperature). `allowed`
 * (ascending ids) restricts the choice; null leaves the whole vocabulary. `random` gives 0 <= r < 1.
 */
export function pickToken(
  logits: Float32Array,
  allowed: readonly number[] | null,
  temperature: number,
  random: () => number,
): number {
  const best = argmax(logits, allowed)
  return temperature > 0 ? draw(logits, allowed, best, temperature, random()) : best
}

/** Log-probability of `token` under the whole vocabulary, whatever was allowed. @param top The largest logit. */
export function logProbability(logits: Float32Array, token: number, top: number): number {
  let sum = 0
  // 50,000 logits behind each token: an iterator would take twice as long
  for (let i = 0; i < logits.length; i++) sum += Math.exp((logits[i] as number) - top)
  return (logits[token] as number) - top - Math.log(sum)
}

/** The likeliest token of the whole vocabulary, the lowest id among equals. */
export function likeliest(logits: Float32Array): number {
  return argmax(logits, null)
}

function argmax(logits: Float32Array, allowed: readonly number[] | null): number {
  let best = allowed?.[0] ?? 0
  const consider = (token: number) => {
    if ((logits[token] as number) > (logits[best] as number)) best = token
  }
  if (allowed) allowed.forEach(consider)
  else for (let token = 1; token < logits.length; token++) consider(token)
  return best
}

function draw(
  logits: Float32Array,
  allowed: readonly number[] | null,
  best: number,
  temperature: number,
  random: number,
): number {
  const top = logits[best] as number
  const tokens = allowed ?? Array.from(logits.keys())
  const weights = tokens.map(token => Math.exp(((logits[token] as number) - top) / temperature))
  let left = random * weights.reduce((a, b) => a + b, 0)
  for (const [i, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return tokens[i] as number
  }
  return best
}
