/** What a chat completion says, whoever wrote it: the same fields from every server's own shape. */
import { readUsage, type Usage } from '../usage.js'
import { joined } from './thinking.js'

export interface Message {
  /** As the model wrote it; empty where there is no text. */
  content: string
  /** What the server has taken apart of it as thinking; null where that is nothing. */
  reasoning: string | null
  /** The words with which the model declined; null where it did not, or said so in its content. */
  refusal: string | null
  /** Why the model stopped: `stop`, `length` and others; null where the server does not say. */
  finishReason: string | null
  /** Tools that the model called. */
  calls: readonly ToolCall[]
  /** `choices[0].logprobs`, unread. */
  logprobs: unknown
  usage: Usage | null
}

export interface ToolCall {
  /** null where it has none, or none that is safe to print. */
  name: string | null
  /** JSON. */
  arguments: string | null
}

/** The first choice of a chat completion; null where the reply has none with a message. */
export function readMessage(reply: unknown): Message | null {
  const { choices, usage } = fieldsOf(reply)
  const choice = fieldsOf(Array.isArray(choices) ? choices[0] : undefined)
  const { message, logprobs = null, finish_reason: finishReason } = choice
  if (typeof message !== 'object' || message === null) return null
  const { content, reasoning_content, reasoning, refusal, tool_calls, function_call } = fieldsOf(message)
  const parts = readParts(content)
  return {
    content: parts.text,
    // servers that have renamed the field give both, with the same text
    reasoning: joined([parts.reasoning, textOf(reasoning_content) ?? textOf(reasoning)]),
    refusal: joined([parts.refusal, textOf(refusal)]),
    finishReason: textOf(finishReason)?.slice(0, MAX_FINISH_REASON) ?? null,
    calls: [...(Array.isArray(tool_calls) ? tool_calls.map(call => fieldsOf(call).function) : []), function_call]
      .filter(called => typeof called === 'object' && called !== null)
      .map(readCall),
    logprobs,
    usage: readUsage(usage),
  }
}

/** Letters. */
const MAX_FINISH_REASON = 64

/** A content: a text, or a list of texts and of parts of the types `text`, `thinking` (Magistral) and `refusal`. */
function readParts(content: unknown): { text: string; reasoning: string | null; refusal: string | null } {
  if (typeof content === 'string') return { text: content, reasoning: null, refusal: null }
  const parts = Array.isArray(content) ? content : []
  const of = (name: string) => parts.map(part => textOf(fieldsOf(part)[name])).filter(text => text !== null)
  const thoughts = parts.map(part => fieldsOf(part).thinking).map(thought => textOf(thought) ?? readParts(thought).text)
  const texts = parts.map(part => textOf(part) ?? textOf(fieldsOf(part).text) ?? '')
  return { text: texts.join(''), reasoning: joined(thoughts), refusal: joined(of('refusal')) }
}

function readCall(called: unknown): ToolCall {
  const { name, arguments: given } = fieldsOf(called)
  return {
    name: typeof name === 'string' && /^[\w.-]{1,64}$/.test(name) ? name : null,
    arguments: typeof given === 'object' && given !== null ? JSON.stringify(given) : textOf(given),
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

/** A text that is not empty, else null. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
