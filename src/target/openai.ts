/** A target VLM behind an OpenAI-compatible endpoint. */
import type { OpenAiTargetConfig } from '../config/service.js'
import type { TargetProfile } from '../config/target-profile.js'
import { CropVlmError } from '../errors.js'
import { chatClient } from '../openai/chat-client.js'
import { TARGET } from '../openai/party.js'
import { type RefusedForm, rememberedForm } from '../openai/request/forms.js'
import type { Proxies } from '../openai/transport/transport.js'
import { readUsage } from '../openai/usage.js'
import { chatMessages } from './chat-message.js'
import { type Profile, REASONING_TOKENS } from './profiles.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'

export function openAiTarget(config: OpenAiTargetConfig, proxies?: Proxies): Target {
  const { name, model, fullEdge, cropEdge, cropEnlarge } = config
  const client = chatClient(proxies ? { ...config, proxies } : config, TARGET)
  const forms = rememberedForm<RequestForm>(config, withoutUnsupported)
  return {
    name,
    model,
    kind: 'vlm',
    fullLongestEdge: fullEdge,
    cropLongestEdge: cropEdge,
    enlarges: cropEdge !== null && cropEnlarge > 1,
    profile: profileOf(config),
    warnings: [],
    local: false,
    async answer(request) {
      const messages = chatMessages(request, config)
      return readAnswer(
        await forms.ask(form => client.complete({ model, ...parameters(request, form), messages }, request)),
      )
    },
  }
}

/** The profile apart from what must not be shown. */
function profileOf(config: OpenAiTargetConfig): TargetProfile {
  const { profile, fullEdge, cropEdge, cropEnlarge, minSide, prompt, system } = config
  const { tokensField, takesTemperature, reasoningTokens } = config
  const told = { prompt, system, tokensField, takesTemperature, reasoningTokens }
  return { profile, fullEdge, cropEdge, cropEnlarge, minSide, ...told }
}

/** Which parameters a model takes. It is the profile's at first, until the endpoint refuses one. */
type RequestForm = Pick<Profile, 'tokensField' | 'takesTemperature' | 'reasoningTokens'>

function parameters({ maxTokens, temperature }: TargetRequest, form: RequestForm) {
  return {
    [form.tokensField]: maxTokens + form.reasoningTokens,
    ...(form.takesTemperature ? { temperature } : {}),
  }
}

/** The form without what the endpoint has said that it does not take. */
function withoutUnsupported({ error, form }: RefusedForm<RequestForm>): RequestForm {
  const field = CropVlmError.from(error).details?.unsupported
  if (field === 'temperature' && form.takesTemperature) return { ...form, takesTemperature: false }
  if (field === 'max_tokens' && form.tokensField === 'max_tokens')
    // only models that think refuse it
    return {
      ...form,
      tokensField: 'max_completion_tokens',
      reasoningTokens: Math.max(form.reasoningTokens, REASONING_TOKENS),
    }
  throw error
}

function readAnswer(reply: unknown): TargetAnswer {
  const { choices, usage } = (reply ?? {}) as { choices?: unknown; usage?: unknown }
  const content = Array.isArray(choices) ? choices[0]?.message?.content : undefined
  if (typeof content !== 'string' || content.trim() === '')
    throw new CropVlmError('target_failed', 'The target gave no answer: its reply has no choice with a text.', {
      details: { status: 200 },
    })
  return { text: content.trim(), usage: readUsage(usage) }
}
