/** How one token is chosen from a row of logits: the model's scores for each token of the vocabulary. */
import { CropVlmError } from '../../errors.js'

/** `details.reason` of the error for logits that are no numbers. */
export const NO_NUMBERS = 'no_numbers'

/**
 * The next token. At temperature 0 it is the token with the highest logit, and the lowest id among equals; otherwise it
 * is drawn from softmax(logits / temperature).
 * @param logits `[vocabulary]`.
 * @param allowed Ids to choose from, ascending; null: the whole vocabulary.
 * @param random Returns a number r with 0 <= r < 1; called only for a draw.
 * @throws CropVlmError model_failed if the logits are no numbers
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

/**
 * Natural log-probability of `token` among all tokens of the vocabulary, whether they were allowed or not. Where the highest
 * logit is infinite, the tokens that have it share all the probability.
 * @param logits `[vocabulary]`.
 * @param top The highest logit; subtracted before `exp`, which would overflow otherwise.
 * @throws CropVlmError model_failed if any of the logits is no number
 */
export function logProbability(logits: Float32Array, token: number, top: number): number {
  let sum = 0
  // a counted loop: over the 50,000 logits of a token an iterator takes twice as long
  for (let i = 0; i < logits.length; i++) sum += Math.exp(below(top, logits[i] as number))
  if (Number.isNaN(sum)) throw noNumbers()
  return below(top, logits[token] as number) - Math.log(sum)
}

/** By how much a logit is less than the highest, as a negative number. Two infinite ones differ by nothing. */
function below(top: number, logit: number): number {
  return logit === top ? 0 : logit - top
}

/** The token with the highest logit of the whole vocabulary, the lowest id among equals. @throws as `pickToken` */
export function likeliest(logits: Float32Array): number {
  return argmax(logits, null)
}

/** Of `allowed` (null: of the whole vocabulary), the token with the highest logit, the lowest id among equals. */
function argmax(logits: Float32Array, allowed: readonly number[] | null): number {
  let best = allowed?.[0] ?? 0
  const consider = (token: number) => {
    if ((logits[token] as number) > (logits[best] as number)) best = token
  }
  if (allowed) allowed.forEach(consider)
  else for (let token = 1; token < logits.length; token++) consider(token)
  if (Number.isNaN(logits[best])) throw noNumbers()
  return best
}

/** The error for logits that are NaN. A damaged or badly quantized model gives them, and a graphics card that fails. */
function noNumbers(): CropVlmError {
  return new CropVlmError(
    'model_failed',
    'The model gave no numbers (NaN) where the next token is chosen. Set MODEL_PRECISION to another precision, or fetch the model again.',
    { details: { reason: NO_NUMBERS } },
  )
}

/**
 * A draw from softmax(logits / temperature) over `allowed`.
 * @param best The token of `allowed` with the highest logit. Its logit is subtracted before `exp`, against overflow.
 * @param random The number r, 0 <= r < 1, that decides the draw.
 */
function draw(
  logits: Float32Array,
  allowed: readonly number[] | null,
  best: number,
  temperature: number,
  random: number,
): number {
  const top = logits[best] as number
  const tokens = allowed ?? Array.from(logits.keys())
  const weights = tokens.map(token => Math.exp(below(top, logits[token] as number) / temperature))
  let left = random * weights.reduce((a, b) => a + b, 0)
  for (const [i, weight] of weights.entries()) {
    left -= weight
    if (left < 0) return tokens[i] as number
  }
  // reached only by rounding errors, when `random` is almost 1
  return best
}
