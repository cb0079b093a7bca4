import type { Span } from '../dialects/read/box-text.js'

/**
 * How sure a model was of the numbers of its box: exp of the mean log-probability of the tokens that hold a part of one.
 * @param text The answer, in which the numbers stand at `spans`.
 * @param logprobs `choices[0].logprobs` of a chat completion, whatever the endpoint put there.
 * @returns 0..1; null where the endpoint gives no log-probabilities, or none that match the text
 */
export function confidenceOf(text: string, spans: readonly Span[], logprobs: unknown): number | null {
  const tokens = readTokens(logprobs)
  if (!tokens || spans.length === 0) return null
  const joined = tokens.map(({ token }) => token).join('')
  const start = startOf(text, spans, joined)
  if (start === null) return null
  const chosen: number[] = []
  let at = 0
  for (const { token, logprob } of tokens) {
    const [from, to] = [at - start, at - start + token.length]
    if (spans.some(([begin, end]) => from < end && to > begin)) chosen.push(logprob)
    at += token.length
  }
  if (chosen.length === 0) return null
  const mean = chosen.reduce((sum, logprob) => sum + logprob, 0) / chosen.length
  return Math.min(1, Math.exp(mean))
}

/**
 * Where the text starts in the joined tokens, which may also hold special tokens, the reasoning, or the bytes of a
 * letter that takes several tokens. Found by the whole text, else by the box alone; null where it is in neither.
 */
function startOf(text: string, spans: readonly Span[], joined: string): number | null {
  const whole = joined.lastIndexOf(text)
  if (whole >= 0) return whole
  const from = Math.min(...spans.map(([start]) => start))
  const box = joined.lastIndexOf(text.slice(from, Math.max(...spans.map(([, end]) => end))))
  return box >= 0 ? box - from : null
}

interface Token {
  token: string
  logprob: number
}

function readTokens(logprobs: unknown): Token[] | null {
  const content = (logprobs as { content?: unknown } | null)?.content
  if (!Array.isArray(content)) return null
  const isToken = (entry: unknown): entry is Token => {
    const { token, logprob } = (entry ?? {}) as Record<string, unknown>
    return typeof token === 'string' && typeof logprob === 'number' && Number.isFinite(logprob)
  }
  return content.every(isToken) ? content : null
}
