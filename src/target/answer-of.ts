import { CropVlmError } from '../errors.js'
import { type Message, readMessage } from '../openai/reply/message.js'
import { joined, takeApart } from '../openai/reply/thinking.js'
import type { TargetAnswer } from './target.js'

/**
 * The answer in a chat completion. A refusal is one, with an empty text.
 * @param maxTokens What the target was given.
 * @throws CropVlmError target_failed where the reply holds neither, with what stands there instead
 */
export function answerOf(reply: unknown, maxTokens: number): TargetAnswer {
  const message = readMessage(reply)
  if (!message) throw unanswered(whyUnread(reply), null)
  const { answer, reasoning } = takeApart(message.content)
  const { refusal, finishReason, usage } = message
  const thoughts = joined([message.reasoning, reasoning])
  if (answer === '' && refusal === null) throw unanswered(whyEmpty(message, thoughts, maxTokens), finishReason)
  return { text: answer, reasoning: thoughts, refusal, finishReason, usage }
}

function unanswered(why: string, finishReason: string | null): CropVlmError {
  return new CropVlmError('target_failed', `The target gave no answer: ${why}`, {
    details: { status: 200, ...(finishReason === null ? {} : { finish_reason: finishReason }) },
  })
}

/** Many a server answers every path with a page, or has another API under another path. */
function whyUnread(reply: unknown): string {
  const isCompletion = typeof reply === 'object' && reply !== null && 'choices' in reply
  return isCompletion
    ? 'its reply has no choice with a text.'
    : 'its reply is no chat completion, so has no choice with a text; check that TARGET_BASE_URL ends in /v1.'
}

function whyEmpty({ finishReason, calls }: Message, thoughts: string | null, maxTokens: number): string {
  // gateways in front of Anthropic and Gemini pass on their own word
  if (finishReason !== null && /^(length|max_tokens)$/i.test(finishReason))
    return `its max_tokens (${maxTokens}) ran out${thoughts === null ? '' : ' while it was thinking'}; raise max_tokens.`
  // Gemini adds which filter it was, as in "content_filter: SAFETY"
  if (finishReason?.startsWith('content_filter')) return 'its content filter held it back.'
  if (calls.length > 0) {
    const names = calls.map(({ name }) => name).filter(name => name !== null)
    return `it called a tool instead${names.length > 0 ? ` (${names.join(', ')})` : ''}, though it was offered none; start its server without tools, or take another model.`
  }
  return thoughts === null
    ? 'its reply has no choice with a text.'
    : 'all of its text is marked as thinking; check the reasoning parser of its server, or switch thinking off.'
}
