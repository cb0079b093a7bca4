/** A target VLM behind an OpenAI-compatible endpoint. */
import type { OpenAiTargetConfig } from '../config/service.js'
import { type ChatClient, chatClient, type Guard } from '../openai/chat-client.js'
import { TARGET } from '../openai/party.js'
import { answerOf } from './answer-of.js'
import { userMessage } from './chat-message.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'

export function openAiTarget(config: OpenAiTargetConfig, guard?: Guard): Target {
  const client = chatClient(config, TARGET, guard)
  return {
    name: config.name,
    model: config.model,
    kind: 'vlm',
    fullLongestEdge: config.fullEdge,
    cropLongestEdge: config.cropEdge,
    enlarges: false,
    warnings: [],
    local: false,
    get breaker() {
      return client.breaker
    },
    answer: request => answer(client, config.model, request),
  }
}

async function answer(client: ChatClient, model: string, request: TargetRequest): Promise<TargetAnswer> {
  const { maxTokens: max_tokens, temperature } = request
  const reply = await client.complete({ model, max_tokens, temperature, messages: [userMessage(request)] }, request)
  return answerOf(reply, max_tokens)
}
