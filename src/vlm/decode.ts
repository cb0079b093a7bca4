import { throwIfAborted } from './abort.js'
import type { Grammar, GrammarState } from './grammar.js'
import { logProbability, pickToken } from './sampling.js'

export interface DecodeOptions {
  /**
   * Feeds chosen tokens to the model and gives the logits behind each. The first call also feeds the prompt in front
   * (its tokens may be none) and gives the logits behind the prompt first.
   */
  feed(tokens: readonly number[]): Promise<Float32Array[]>
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
  /** Under the model, each given those before; null for forced tokens at the end, which need no run. */
  logProbs: (number | null)[]
  /** Which tokens the grammar left a choice for; all, where there is no grammar. */
  free: boolean[]
}

/**
 * The decode loop. Tokens that the grammar forces are never asked for: they ride along with the next run, so the
 * answer is that of asking one by one.
 */
export async function decode(options: DecodeOptions): Promise<Decoded> {
  const { feed, grammar, eos, maxNewTokens, temperature, random, signal } = options
  const tokens: number[] = []
  const logProbs: (number | null)[] = []
  const free: boolean[] = []
  let state: GrammarState | null = grammar?.start ?? null
  // How many tokens already have their log-probability: those up to the last one fed, and one more.
  let scored = 0
  let fed = 0

  const append = (token: number, isFree: boolean) => {
    tokens.push(token)
    logProbs.push(null)
    free.push(isFree)
    state = state?.after(token) ?? null
  }
  const appendForced = () => {
    for (let forced = onlyChoice(state); forced !== null && tokens.length < maxNewTokens; forced = onlyChoice(state))
      append(forced, false)
  }
  const isComplete = () =>
    tokens.length >= maxNewTokens || (state ? state.allowed.length === 0 : eos.has(tokens.at(-1) ?? -1))

  appendForced()
  while (!isComplete()) {
    throwIfAborted(signal)
    const rows = await feed(tokens.slice(fed))
    fed = tokens.length
    const next = rows.at(-1)
    if (!next) throw new Error('the model gave no logits')
    append(pickToken(next, allowedIn(state), temperature, random), true)
    for (const row of rows) logProbs[scored] = logProbability(row, tokens[scored++] as number)
    appendForced()
  }
  return { tokens, logProbs, free }
}

function onlyChoice(state: GrammarState | null): number | null {
  return state?.allowed.length === 1 ? (state.allowed[0] as number) : null
}

function allowedIn(state: GrammarState | null): readonly number[] | null {
  return state?.allowed ?? null
}
