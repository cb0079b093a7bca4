/** Tokens of one call. */
export interface Usage {
  promptTokens: number
  completionTokens: number
}

/** The `usage` of a chat completion; null where the endpoint reports none, or what cannot be added to a counter. */
export function readUsage(usage: unknown): Usage | null {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = (usage ?? {}) as Record<string, unknown>
  return isCount(promptTokens) && isCount(completionTokens) ? { promptTokens, completionTokens } : null
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
