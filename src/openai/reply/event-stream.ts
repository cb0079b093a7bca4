/** An event stream of `chat.completion.chunk`s as the one completion that it adds up to. */
import { OddReply } from './bounded-text.js'
import { parseShallow } from './shallow-json.js'
import { errorIn, errorOfRefusal } from './upstream-error.js'

/** Whether a text begins as an event stream does; a comment, as in ": keep-alive", may come first. */
export function isEventStream(text: string): boolean {
  return /^\s*(?:data|event|id|retry)?:/.test(text)
}

interface Completion {
  object: 'chat.completion'
  choices: unknown[]
  usage: unknown
}

/**
 * Joins the deltas of the first choice.
 * @returns a chat completion, or `{ error }` where the stream holds an error
 * @throws OddReply if the stream holds what is no JSON, or ends before its end
 */
export function joinEvents(text: string): Completion | { error: unknown } {
  const message = new Joined()
  let [finishReason, usage, hasEnded]: [unknown, unknown, boolean] = [null, null, false]
  for (const { event, data } of eventsOf(text)) {
    if (data === '[DONE]') {
      hasEnded = true
      break
    }
    const chunk = parse(data)
    const error = event === 'error' ? errorOfRefusal(chunk) : errorIn(chunk)
    if (error) return { error }
    const { choices, usage: counted } = (chunk ?? {}) as { choices?: unknown; usage?: unknown }
    usage = counted ?? usage
    const choice: unknown = Array.isArray(choices) ? choices.find(one => (one?.index ?? 0) === 0) : undefined
    if (typeof choice !== 'object' || choice === null) continue
    const { delta, message: whole, logprobs, finish_reason } = choice as Record<string, unknown>
    message.add(delta ?? whole, logprobs)
    finishReason = finish_reason ?? finishReason
  }
  if (!hasEnded && finishReason === null) throw new OddReply('its event stream breaks off')
  const choices = message.isEmpty ? [] : [{ index: 0, finish_reason: finishReason, ...message.fields() }]
  return { object: 'chat.completion', choices, usage }
}

interface ServerEvent {
  event: string
  data: string
}

/** The events of a stream that have data, as in the HTML standard's "Server-sent events". */
function eventsOf(text: string): ServerEvent[] {
  return text.split(/\r?\n\r?\n|\r\r/).flatMap(block => {
    const lines = block.split(/\r\n|\n|\r/)
    const values = (field: string) =>
      lines.filter(line => line.startsWith(`${field}:`)).map(line => line.slice(field.length + 1).replace(/^ /, ''))
    const data = values('data').join('\n')
    return data.trim() === '' ? [] : [{ event: values('event').at(-1) ?? 'message', data: data.trim() }]
  })
}

function parse(data: string): unknown {
  try {
    return parseShallow(data)
  } catch (error) {
    if (error instanceof OddReply) throw error
    throw new OddReply('its event stream holds what is no JSON')
  }
}

const TEXTS = ['reasoning_content', 'reasoning', 'refusal'] as const

/** A message that grows delta by delta. */
class Joined {
  isEmpty = true
  /** Texts and parts, in their order. */
  readonly #content: unknown[] = []
  readonly #texts = new Map<string, string>()
  readonly #calls: unknown[] = []
  readonly #logprobs: unknown[] = []

  add(delta: unknown, logprobs: unknown): void {
    if (typeof delta !== 'object' || delta === null) return
    this.isEmpty = false
    const { content, tool_calls: calls, ...rest } = delta as Record<string, unknown>
    this.#content.push(...[content].flat().filter(part => part !== undefined && part !== null))
    for (const name of TEXTS) {
      const more = rest[name]
      if (typeof more === 'string') this.#texts.set(name, (this.#texts.get(name) ?? '') + more)
    }
    if (Array.isArray(calls)) for (const call of calls) this.#addCall(call)
    const tokens = (logprobs as { content?: unknown } | null | undefined)?.content
    if (Array.isArray(tokens)) this.#logprobs.push(...tokens)
  }

  /** The arguments of a call come in pieces, and its name with the first. */
  #addCall(call: unknown): void {
    const { index, function: called } = (call ?? {}) as { index?: unknown; function?: Record<string, unknown> }
    const at = typeof index === 'number' && index >= 0 && index < 128 ? index : this.#calls.length
    const known = (this.#calls[at] as { function: { name: string; arguments: string } } | undefined)?.function
    const text = (value: unknown) => (typeof value === 'string' ? value : '')
    this.#calls[at] = {
      type: 'function',
      function: {
        name: (known?.name ?? '') + text(called?.name),
        arguments: (known?.arguments ?? '') + text(called?.arguments),
      },
    }
  }

  fields() {
    const calls = this.#calls.filter(Boolean)
    const isText = this.#content.every(part => typeof part === 'string')
    const content = isText ? this.#content.join('') : this.#content.map(asPart)
    return {
      message: {
        role: 'assistant',
        content: this.#content.length === 0 ? null : content,
        ...Object.fromEntries(this.#texts),
        ...(calls.length > 0 ? { tool_calls: calls } : {}),
      },
      logprobs: this.#logprobs.length > 0 ? { content: this.#logprobs } : null,
    }
  }
}

function asPart(part: unknown): unknown {
  return typeof part === 'string' ? { type: 'text', text: part } : part
}
