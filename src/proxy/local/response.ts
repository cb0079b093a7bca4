/** OpenAI's Responses. */
import type { LocalAnswer } from './answer.js'
import { type LocalShape, namedEvent, type ReplyHead } from './shape.js'

export const response: LocalShape = { json: whole, stream }

function whole(head: ReplyHead, answer: LocalAnswer) {
  return {
    ...common(head),
    status: answer.isCut ? 'incomplete' : 'completed',
    incomplete_details: answer.isCut ? { reason: 'max_output_tokens' } : null,
    output: [message(head, answer)],
    usage: {
      input_tokens: answer.promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: answer.completionTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: answer.promptTokens + answer.completionTokens,
    },
  }
}

function stream(head: ReplyHead, answer: LocalAnswer): string {
  const started = { ...common(head), status: 'in_progress', incomplete_details: null, output: [], usage: null }
  const done = message(head, answer)
  const [part] = done.content
  const at = { item_id: done.id, output_index: 0, content_index: 0 }
  const events = [
    { type: 'response.created', response: started },
    { type: 'response.in_progress', response: started },
    { type: 'response.output_item.added', output_index: 0, item: { ...done, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...at, part: { ...part, text: '' } },
    { type: 'response.output_text.delta', ...at, delta: part?.text, logprobs: [] },
    { type: 'response.output_text.done', ...at, text: part?.text, logprobs: [] },
    { type: 'response.content_part.done', ...at, part },
    { type: 'response.output_item.done', output_index: 0, item: done },
    { type: answer.isCut ? 'response.incomplete' : 'response.completed', response: whole(head, answer) },
  ]
  return events.map((event, sequence_number) => namedEvent({ ...event, sequence_number })).join('')
}

function common({ id, created, model }: ReplyHead) {
  return {
    id: `resp_${id}`,
    object: 'response',
    created_at: created,
    model,
    error: null,
    instructions: null,
    metadata: {},
    parallel_tool_calls: false,
    previous_response_id: null,
    store: false,
    text: { format: { type: 'text' } },
    tool_choice: 'none',
    tools: [],
  }
}

function message({ id }: ReplyHead, { texts, isCut }: LocalAnswer) {
  const content = texts.slice(0, 1).map(text => ({ type: 'output_text', text, annotations: [], logprobs: [] }))
  return { id: `msg_${id}`, type: 'message', role: 'assistant', status: isCut ? 'incomplete' : 'completed', content }
}
