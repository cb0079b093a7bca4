/** Reads an answer and its tokens out of what a client made of a reply, whichever client that was. */

export interface Made {
  text: string
  prompt: number
  completion: number
}

type Json = Record<string, unknown>

interface Usage {
  prompt_tokens?: number
  completion_tokens?: number
  input_tokens?: number
  output_tokens?: number
  /** Anthropic's `input_tokens` are without these. */
  cache_read_input_tokens?: number
}

/** null where it is no answer: an error, or a list of names. */
export function readMade(value: unknown): Made | null {
  const whole = Array.isArray(value) ? joined(value) : value
  if (!isObject(whole) || !whole.usage) return null
  const text = textOf(whole)
  if (Array.isArray(whole.usage)) return { text, prompt: Number(whole.usage[0]), completion: Number(whole.usage[1]) }
  const usage = whole.usage as Usage
  const prompt = usage.prompt_tokens ?? Number(usage.input_tokens) + (usage.cache_read_input_tokens ?? 0)
  return { text, prompt, completion: Number(usage.completion_tokens ?? usage.output_tokens) }
}

function textOf({ text, content, choices }: Json): string {
  if (typeof text === 'string') return text.trim()
  const [first] = (content ?? choices) as [{ text?: string; message?: { content: string } }]
  return (first.text ?? first.message?.content ?? '').trim()
}

/** The chunks of a stream as one reply. */
function joined(chunks: readonly unknown[]): Json {
  const all = chunks.filter(isObject) as { choices?: { delta?: { content?: string } }[]; usage?: Usage }[]
  const text = all.map(({ choices }) => choices?.[0]?.delta?.content ?? '').join('')
  return { text, usage: all.findLast(({ usage }) => usage)?.usage }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
