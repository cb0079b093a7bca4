import { CropVlmError } from '../../errors.js'
import { type ChatClient, chatClient, type Guard, type Patience } from '../../openai/chat-client.js'
import type { ImagePart } from '../../openai/image-part.js'
import { cropperParty } from '../../openai/party.js'
import { readMessage } from '../../openai/reply/message.js'
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

/** Most tokens of a model that takes `max_completion_tokens` alone: it reasons, and that counts. */
const REASONING_TOKENS = 2048

/** Speaks to the endpoint of a cropper. */
export function cropperClient(settings: RemoteCropperSettings, guard?: Guard): ChatClient {
  return chatClient(settings, cropperParty(settings.name === 'target' ? 'TARGET' : 'CROPPER'), guard)
}

/**
 * Not every endpoint takes every field. The forms of a request, the fullest first: with log-probabilities; without; and
 * without what the reasoning models of OpenAI refuse as well. The first that is taken is remembered.
 */
export function asker(settings: RemoteCropperSettings, client: ChatClient = cropperClient(settings)): Ask {
  const { dialect } = settings
  const limited = { max_tokens: dialect.maxTokens, temperature: 0, ...grammar(settings) }
  const forms = [
    { ...limited, logprobs: true },
    limited,
    { max_completion_tokens: Math.max(REASONING_TOKENS, dialect.maxTokens) },
  ]
  let form = 0
  let isKnown = false
  return async (picture, question, patience) => {
    const messages = chatMessages(dialect, picture, question)
    const caller = { ...patience, question }
    const ask = (fields: object) => client.complete({ model: settings.model, messages, ...fields }, caller)
    const answer = readAnswer(await firstTaken(ask))
    isKnown = true
    return answer
  }

  async function firstTaken(ask: (fields: object) => ReturnType<ChatClient['complete']>): Promise<unknown> {
    const tried = isKnown ? forms.slice(form, form + 1) : forms.slice(form)
    let first: unknown = null
    for (const fields of tried) {
      try {
        const reply = await ask(fields)
        form = forms.indexOf(fields)
        return reply
      } catch (error) {
        first ??= error
        const { details } = CropVlmError.from(error)
        if (!REFUSALS.includes(details?.status)) throw error
      }
    }
    // what was refused for another reason is told as it was at first
    throw first
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
