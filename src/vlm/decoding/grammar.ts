/**
 * Which tokens may come next, as an automaton over token ids. States are immutable, so that a batch can share one
 * grammar and a state can be kept or tried out.
 */
export interface Grammar {
  readonly start: GrammarState
}

export interface GrammarState {
  /** Token ids that may come next, ascending; one: it is forced; none: the answer is complete. */
  readonly allowed: readonly number[]
  /**
   * Tokens likely to come next that are worth a place in a run before they are chosen, so that the choice behind them
   * costs no run of its own; empty where there are none.
   */
  readonly guess: readonly number[]
  /** The state after an allowed token; throws for any other. */
  after(token: number): GrammarState
}
