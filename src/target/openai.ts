/** A target VLM behind an OpenAI-compatible endpoint. */
import type { OpenAiTargetConfig } from '../config/service.js'
import type { TargetProfile } from '../config/target/profile.js'
import { CropVlmError } from '../errors.js'
import { chatClient, type Guard, UNGUARDED } from '../openai/chat-client.js'
import { TARGET } from '../openai/party.js'
import { REASONING_TOKENS, type RefusedForm, rememberedForm } from '../openai/request/forms.js'
import type { Proxies } from '../openai/transport/transport.js'
import { answerOf } from './answer-of.js'
import { chatMessages } from './chat-message.js'
import type { Profile } from './profiles.js'
import type { Target, TargetRequest } from './target.js'

/** What all targets of a service share. */
interface Shared extends Guard {
  readonly proxies: Proxies
}

export function openAiTarget(config: OpenAiTargetConfig, shared?: Partial<Shared>): Target {
  const { name, model, fullEdge, cropEdge, cropEnlarge } = config
  const { proxies, ...guard } = shared ?? {}
  const client = chatClient(proxies ? { ...config, proxies } : config, TARGET, { ...UNGUARDED, ...guard })
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
    get breaker() {
      return client.breaker
    },
    async answer(request) {
      const messages = chatMessages(request, config)
      return forms.ask(async form => {
        const limits = parameters(request, form)
        const reply = await client.complete({ model, ...limits, messages }, request)
        return answerOf(reply, request.maxTokens)
      })
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
