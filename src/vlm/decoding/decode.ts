import { throwIfAborted } from './abort.js'
import type { Grammar, GrammarState } from './grammar.js'
import { likeliest, logProbability, pickToken } from './sampling.js'

export interface DecodeOptions {
  /**
   * Takes back the last `back` tokens fed, then feeds `tokens` and gives the logits behind each. The first call also
   * feeds the prompt in front (its tokens may be none) and gives the logits behind the prompt first.
   */
  feed(tokens: readonly number[], back: number): Promise<Float32Array[]>
  /** Whether tokens can be taken back: only then may a grammar's guesses ride along. */
  guesses: boolean
  /** null: free decoding, until one of `eos`. */
  grammar: Grammar | null
  eos: ReadonlySet<number>
  maxNewTokens: number
  /** 0 is greedy. */
  temperature: number
  random: () => number
  signal: AbortSignal
}

export interface Decoded {
  /** The end token included, where one was reached. */
  tokens: number[]
  /** Under the model, each given those before, of the tokens there was a choice for; null for forced ones. */
  logProbs: (number | null)[]
  /** Runs of the decoder, the prefill included. */
  runs: number
  /** How many of the scored tokens are not the likeliest under the model: forced on it, masked, or drawn. */
  overruled: number
}

/**
 * The decode loop. Tokens that the grammar forces are never asked for: they ride along with the next run, and so does
 * the grammar's guess of what comes then. The answer is that of asking one by one.
 */
export async function decode(options: DecodeOptions): Promise<Decoded> {
  const { feed, guesses, grammar, eos, maxNewTokens, temperature, random, signal } = options
  const tokens: number[] = []
  const logProbs: (number | null)[] = []
  let state: GrammarState | null = grammar?.start ?? null
  // How many tokens have been held against the model's own choice.
  let scored = 0
  // How many tokens of the answer the model has been fed, and how many beyond them that were guessed wrongly.
  let fed = 0
  let wrong = 0
  let runs = 0
  let overruled = 0

  // Places of tokens that were not forced.
  const chosen = new Set<number>()
  const append = (token: number) => {
    tokens.push(token)
    logProbs.push(null)
    state = state?.after(token) ?? null
  }
  const appendForced = () => {
    for (let forced = onlyChoice(state); forced !== null && tokens.length < maxNewTokens; forced = onlyChoice(state))
      append(forced)
  }
  const isComplete = () =>
    tokens.length >= maxNewTokens || (state ? state.allowed.length === 0 : eos.has(tokens.at(-1) ?? -1))

  appendForced()
  while (!isComplete()) {
    throwIfAborted(signal)
    const guess = guesses && state?.guess ? state.guess.slice(0, maxNewTokens - tokens.length) : []
    const sent = [...tokens.slice(fed), ...guess]
    const rows = await feed(sent, wrong)
    // The logits behind the first n tokens of the answer.
    const first = fed + sent.length + 1 - rows.length
    const behind = (n: number) => rows[n - first] as Float32Array
    const from = fed
    fed = tokens.length
    do {
      chosen.add(tokens.length)
      append(pickToken(behind(tokens.length), allowedIn(state), temperature, random))
      appendForced()
      while (fed < tokens.length && fed - from < sent.length && sent[fed - from] === tokens[fed]) fed++
    } while (!isComplete() && fed === tokens.length)
    wrong = from + sent.length - fed
    for (; scored <= fed && scored < tokens.length; scored++) {
      const token = tokens[scored] as number
      const logits = behind(scored)
      const best = likeliest(logits)
      if (best !== token) overruled++
      if (chosen.has(scored)) logProbs[scored] = logProbability(logits, token, logits[best] as number)
    }
    runs++
  }
  return { tokens, logProbs, runs, overruled }
}

/** The tokens that a grammar forces before there is any choice: those that the first call feeds behind the prompt. */
export function openingTokens(grammar: Grammar | null, maxNewTokens: number): number[] {
  const tokens: number[] = []
  let state = grammar?.start ?? null
  for (let token = onlyChoice(state); token !== null && tokens.length < maxNewTokens; token = onlyChoice(state)) {
    tokens.push(token)
    state = state?.after(token) ?? null
  }
  return tokens
}

function onlyChoice(state: GrammarState | null): number | null {
  return state?.allowed.length === 1 ? (state.allowed[0] as number) : null
}

function allowedIn(state: GrammarState | null): readonly number[] | null {
  return state?.allowed ?? null
}
