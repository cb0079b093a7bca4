import { CropVlmError } from '../../errors.js'
import { type ChatClient, chatClient, type Guard, type Patience } from '../../openai/chat-client.js'
import type { ImagePart } from '../../openai/image-part.js'
import { cropperParty } from '../../openai/party.js'
import { readMessage } from '../../openai/reply/message.js'
import { REASONING_TOKENS, rememberedForm } from '../../openai/request/forms.js'
import type { Usage } from '../../openai/usage.js'
import type { Dialect } from '../dialects/dialect.js'
import type { Written } from '../dialects/read/written.js'
import type { RemoteCropperSettings } from './settings.js'

/** What the model answered. */
export interface Answer extends Written {
  /** `choices[0].logprobs`, unread. */
  logprobs: unknown
  usage: Usage | null
}

/**
 * Asks the endpoint where to look.
 * @throws CropVlmError cropper_failed, cropper_timeout, request_aborted
 */
export type Ask = (picture: ImagePart, question: string, patience: Patience) => Promise<Answer>

/** Statuses with which endpoints refuse a body for what it holds. */
const REFUSALS: readonly unknown[] = [400, 422]

/** Speaks to the endpoint of a cropper. */
export function cropperClient(settings: RemoteCropperSettings, guard?: Guard): ChatClient {
  return chatClient(settings, cropperParty(settings.name === 'target' ? 'TARGET' : 'CROPPER'), guard)
}

/**
 * The forms of a request, the fullest first: with log-probabilities; without; and
 * without what the reasoning models of OpenAI refuse as well. The first that is taken is remembered.
 */
export function asker(settings: RemoteCropperSettings, client: ChatClient = cropperClient(settings)): Ask {
  const { dialect } = settings
  const limited = { max_tokens: dialect.maxTokens, temperature: 0, ...grammar(settings) }
  const fullest = { ...limited, logprobs: true }
  // a model that takes `max_completion_tokens` alone reasons, and that counts
  const forms: object[] = [fullest, limited, { max_completion_tokens: Math.max(REASONING_TOKENS, dialect.maxTokens) }]
  let isKnown = false
  const remembered = rememberedForm<object>(fullest, ({ error, form, first }) => {
    if (!REFUSALS.includes(CropVlmError.from(error).details?.status)) throw error
    const following = forms[forms.indexOf(form) + 1]
    // what was refused for another reason is told as it was at first
    if (isKnown || !following) throw first
    return following
  })
  return async (picture, question, patience) => {
    const messages = chatMessages(dialect, picture, question)
    const caller = { ...patience, question }
    const reply = await remembered.ask(form => client.complete({ model: settings.model, messages, ...form }, caller))
    const answer = readAnswer(reply)
    isKnown = true
    return answer
  }
}

/** vLLM 0.12 took `structured_outputs` in place of `guided_regex`. It ignores fields that it does not know, so both are sent. */
function grammar({ guided, dialect }: RemoteCropperSettings): object {
  return guided === 'vllm' ? { structured_outputs: { regex: dialect.grammar }, guided_regex: dialect.grammar } : {}
}

function chatMessages(dialect: Dialect, picture: ImagePart, question: string): unknown[] {
  const { system, text } = dialect.prompt(question)
  const user = { role: 'user', content: [picture, { type: 'text', text }] }
  return system === null ? [user] : [{ role: 'system', content: system }, user]
}

function readAnswer(reply: unknown): Answer {
  const message = readMessage(reply)
  if (!message)
    throw new CropVlmError('cropper_failed', "The cropper's endpoint gave no answer: its reply has no choice.", {
      details: { status: 200 },
    })
  const { content, refusal, calls, logprobs, usage } = message
  return {
    // a dialect may need what a model writes while it thinks
    text: content || (refusal ?? ''),
    toolCalls: calls.map(call => call.arguments).filter(given => given !== null),
    logprobs,
    usage,
  }
}
