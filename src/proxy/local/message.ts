/** Anthropic's messages. */
import type { LocalAnswer } from './answer.js'
import { type LocalShape, namedEvent, type ReplyHead } from './shape.js'

export const message: LocalShape = {
  json: (head, answer) => ({
    ...common(head),
    content: answer.texts.slice(0, 1).map(text => ({ type: 'text', text })),
    stop_reason: stopReason(answer),
    usage: { input_tokens: answer.promptTokens, output_tokens: answer.completionTokens },
  }),
  stream: (head, answer) => {
    const start = { ...common(head), content: [], stop_reason: null }
    const events = [
      { type: 'message_start', message: { ...start, usage: { input_tokens: answer.promptTokens, output_tokens: 0 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: answer.texts[0] ?? '' } },
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: stopReason(answer), stop_sequence: null },
        usage: { output_tokens: answer.completionTokens },
      },
      { type: 'message_stop' },
    ]
    return events.map(namedEvent).join('')
  },
}

function common({ id, model }: ReplyHead) {
  return { id: `msg_${id}`, type: 'message', role: 'assistant', model, stop_sequence: null }
}

function stopReason({ isCut }: LocalAnswer): string {
  return isCut ? 'max_tokens' : 'end_turn'
}
