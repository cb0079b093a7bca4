/**
 * Restricts an answer to a formal language, as an automaton over token ids. Its states are immutable: all answers of a
 * batch can share one grammar, and several tokens can be tried from the same state.
 */
export interface Grammar {
  readonly start: GrammarState
}

export interface GrammarState {
  /**
   * Ids of the tokens that may come next, ascending. A single id is a *forced* token: there is nothing to choose. If
   * there are none, the answer is complete.
   */
  readonly allowed: readonly number[]
  /**
   * Draft tokens, as in speculative decoding: tokens that probably come next. The decode loop may feed them to the
   * model before it has chosen them. If they turn out to be the answer's, the logits after them are already there, and
   * a run of the decoder is saved. Empty if the grammar expects nothing in particular.
   */
  readonly draftTokens: readonly number[]
  /**
   * The state after an allowed token.
   * @throws Error for any other token
   */
  after(token: number): GrammarState
}
