import { throwIfAborted } from './abort.js'
import type { Grammar, GrammarState } from './grammar.js'
import { likeliest, logProbability, pickToken } from './sampling.js'

export interface DecodeOptions {
  /**
   * Runs the decoder. It first removes the last `rewind` tokens that were fed, then feeds `tokens`. Returns one row of
   * logits, `[vocabulary]`, for each of `tokens`: the model's scores for the token that follows it.
   *
   * The first call is the prefill. Its `tokens` are the opening tokens (see `openingTokens`), which are fed together
   * with the prompt. It returns one row more than there are tokens: the first is the row after the prompt.
   */
  feed(tokens: readonly number[], rewind: number): Promise<Float32Array[]>
  /** Whether `feed` can remove tokens. Draft tokens are used only then, because a wrong one has to be removed. */
  canRewind: boolean
  /** null: any token may follow, and the answer ends with one of `eos`. */
  grammar: Grammar | null
  /** Ids of the tokens that end an answer. */
  eos: ReadonlySet<number>
  maxNewTokens: number
  /** 0 is greedy: always the token with the highest logit. */
  temperature: number
  /** Returns a number r with 0 <= r < 1. */
  random: () => number
  signal: AbortSignal
}

export interface Decoded {
  /** The answer, including the end token if one was reached. */
  tokens: number[]
  /** Whether the model ended the answer, or the grammar did; if not, `maxNewTokens` were reached. */
  isComplete: boolean
  /** For each token its log-probability under the model, given the tokens before it; null for a forced token. */
  logProbs: (number | null)[]
  /** Runs of the decoder, the prefill included. */
  runs: number
  /**
   * Tokens of the answer that are not the model's most likely one, because the grammar forced or masked, or because
   * they were drawn at a temperature. Forced tokens after the last run are not counted: there are no logits for them.
   */
  nonGreedyTokens: number
}

/**
 * The decode loop: chooses the tokens of an answer one after the other, each from the logits after those before it.
 *
 * Without a grammar, each token costs one run of the decoder. With one, runs are saved in two ways. Forced tokens are
 * not asked for: they are fed in the same run as the chosen token before them. And if the decoder can rewind, the
 * grammar's draft tokens are fed in that run too; those that turn out wrong are removed with the next run. Neither
 * changes the answer: it is the same as with one run a token.
 *
 * @throws CropVlmError request_aborted or the signal's own reason; the signal is checked before each run
 */
export async function decode(options: DecodeOptions): Promise<Decoded> {
  const { feed, canRewind, grammar, eos, maxNewTokens, temperature, random, signal } = options
  const tokens: number[] = []
  const logProbs: (number | null)[] = []
  let state: GrammarState | null = grammar?.start ?? null
  /** Indices in `tokens` of those that were chosen, not forced. */
  const chosen = new Set<number>()
  /** How many of `tokens` are in the KV cache. */
  let fed = 0
  /** How many wrong draft tokens are in the KV cache after those. The next run removes them. */
  let rejected = 0
  /** How many of `tokens` have their log-probability and were compared with the model's most likely token. */
  let scored = 0
  let runs = 0
  let nonGreedyTokens = 0

  const append = (token: number) => {
    tokens.push(token)
    logProbs.push(null)
    state = state?.after(token) ?? null
  }
  const appendForced = () => {
    for (let token = forcedToken(state); token !== null && tokens.length < maxNewTokens; token = forcedToken(state))
      append(token)
  }
  const isComplete = () => (state ? state.allowed.length === 0 : eos.has(tokens.at(-1) ?? -1))
  const isOver = () => tokens.length >= maxNewTokens || isComplete()

  openingTokens(grammar, maxNewTokens).forEach(append)
  while (!isOver()) {
    throwIfAborted(signal)
    // the prefill knows the opening tokens only, so the first run has no draft tokens
    const drafts = canRewind && runs > 0 && state ? state.draftTokens.slice(0, maxNewTokens - tokens.length) : []
    const sent = [...tokens.slice(fed), ...drafts]
    const rows = await feed(sent, rejected)
    runs++

    // The last row follows all tokens that are in the cache now, the row before it one token less, and so on.
    const fedBefore = fed
    const fedWithDrafts = fedBefore + sent.length
    const lengthAtFirstRow = fedWithDrafts - (rows.length - 1)
    /** The logits after the first `length` tokens of the answer. */
    const logitsAfter = (length: number) => rows[length - lengthAtFirstRow] as Float32Array
    fed = tokens.length
    // Choose a token. As long as all tokens of the answer turn out to be fed already, as draft tokens, the logits for
    // the next choice are there too.
    do {
      chosen.add(tokens.length)
      append(pickToken(logitsAfter(tokens.length), state?.allowed ?? null, temperature, random))
      appendForced()
      while (fed < tokens.length && fed < fedWithDrafts && sent[fed - fedBefore] === tokens[fed]) fed++
    } while (!isOver() && fed === tokens.length)
    rejected = fedWithDrafts - fed

    // Score all tokens that this run has brought logits for, forced ones too.
    for (; scored <= fed && scored < tokens.length; scored++) {
      const token = tokens[scored] as number
      const logits = logitsAfter(scored)
      const best = likeliest(logits)
      if (best !== token) nonGreedyTokens++
      if (chosen.has(scored)) logProbs[scored] = logProbability(logits, token, logits[best] as number)
    }
  }
  return { tokens, isComplete: isComplete(), logProbs, runs, nonGreedyTokens }
}

/**
 * The forced tokens that every answer under a grammar opens with, before the first choice. They are known before the
 * model has run, so the prefill feeds them together with the prompt.
 */
export function openingTokens(grammar: Grammar | null, maxNewTokens: number): number[] {
  const tokens: number[] = []
  let state = grammar?.start ?? null
  for (let token = forcedToken(state); token !== null && tokens.length < maxNewTokens; token = forcedToken(state)) {
    tokens.push(token)
    state = state?.after(token) ?? null
  }
  return tokens
}

/** The only token that may come next; null if there is a choice, or nothing left to come. */
function forcedToken(state: GrammarState | null): number | null {
  return state?.allowed.length === 1 ? (state.allowed[0] as number) : null
}
