/** A target VLM behind an OpenAI-compatible endpoint. */
import type { OpenAiTargetConfig } from '../config/service.js'
import { CropVlmError } from '../errors.js'
import { type ChatClient, chatClient } from '../openai/chat-client.js'
import { TARGET } from '../openai/party.js'
import { readUsage } from '../openai/usage.js'
import { userMessage } from './chat-message.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'

export function openAiTarget(config: OpenAiTargetConfig): Target {
  const client = chatClient(config, TARGET)
  return {
    name: config.name,
    model: config.model,
    kind: 'vlm',
    fullLongestEdge: config.fullEdge,
    cropLongestEdge: config.cropEdge,
    enlarges: false,
    warnings: [],
    local: false,
    answer: request => answer(client, config.model, request),
  }
}

async function answer(client: ChatClient, model: string, request: TargetRequest): Promise<TargetAnswer> {
  const { maxTokens: max_tokens, temperature } = request
  const reply = await client.complete({ model, max_tokens, temperature, messages: [userMessage(request)] }, request)
  const { choices, usage } = (reply ?? {}) as { choices?: unknown; usage?: unknown }
  const content = Array.isArray(choices) ? choices[0]?.message?.content : undefined
  if (typeof content !== 'string' || content.trim() === '')
    throw new CropVlmError('target_failed', 'The target gave no answer: its reply has no choice with a text.', {
      details: { status: 200 },
    })
  return { text: content.trim(), usage: readUsage(usage) }
}
