/** OpenAI's chat completions. */
import type { LocalAnswer } from './answer.js'
import { dataEvent, type LocalShape, type ReplyHead } from './shape.js'

export const chatCompletion: LocalShape = {
  json: (head, answer) => ({
    ...common(head, 'chat.completion'),
    choices: answer.texts.map((content, index) => ({
      index,
      message: { role: 'assistant', content, refusal: null },
      logprobs: null,
      finish_reason: finishReason(answer),
    })),
    usage: usage(answer),
  }),
  stream: (head, answer) => {
    const chunk = common(head, 'chat.completion.chunk')
    // with usage asked for, all chunks but the last have it as null
    const none = head.includeUsage ? { usage: null } : {}
    const choice = (index: number, delta: object, finish_reason: string | null = null) =>
      dataEvent({ ...chunk, choices: [{ index, delta, logprobs: null, finish_reason }], ...none })
    const events = answer.texts.flatMap((content, index) => [
      choice(index, { role: 'assistant', content: '', refusal: null }),
      choice(index, { content }),
      choice(index, {}, finishReason(answer)),
    ])
    const last = head.includeUsage ? [dataEvent({ ...chunk, choices: [], usage: usage(answer) })] : []
    return [...events, ...last, 'data: [DONE]\n\n'].join('')
  },
}

function common({ id, created, model }: ReplyHead, object: string) {
  return { id: `chatcmpl-${id}`, object, created, model }
}

function finishReason({ isCut }: LocalAnswer): string {
  return isCut ? 'length' : 'stop'
}

function usage({ promptTokens, completionTokens }: LocalAnswer) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}
