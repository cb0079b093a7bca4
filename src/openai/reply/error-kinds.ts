/** What an endpoint's error is about, where its words or its code tell more than its status. */
import type { UpstreamError } from './upstream-error.js'

export type ErrorKind =
  /** It takes fewer pictures in a request than it was sent. */
  'too_many_images' | 'no_images' | 'filtered' | 'no_quota' | 'too_long' | 'unknown_model' | 'wrong_key'

interface Rule {
  kind: ErrorKind
  status?: number
  code?: RegExp
  message: RegExp
}

/** The first rule that fits decides. Behind each message are the servers that are known to write so. */
const RULES: readonly Rule[] = [
  // vLLM of a model that reads none, also before 0.9; OpenRouter; llama.cpp without --mmproj; Ollama; vLLM; DeepSeek; Mistral;
  // Groq
  {
    kind: 'no_images',
    message:
      /at most 0 image|\bimage=0\b|support(?:s|ing)?(?: for)? image input|image input is not supported|missing data required for image|not a (?:multimodal|vision)|not support (?:image|vision|multimodal)|unknown variant `image_url`|image input is not enabled|content must be a string/i,
  },
  // vLLM; Ollama; TGI; vLLM before 0.9; others
  {
    kind: 'too_many_images',
    message:
      /at most \d+ image|only supports? (?:a single|one|1) image|(?:multiple|more than one) images?\b|--limit-mm-per-prompt|too many images|only one image/i,
  },
  // Azure; OpenAI; LiteLLM
  {
    kind: 'filtered',
    code: /content_filter|content_policy|responsibleai/i,
    message:
      /content[ _](?:management |policy|filter)|(?:response|prompt|request) was (?:filtered|flagged)|safety system/i,
  },
  // OpenAI; OpenRouter; Anthropic; Gemini
  {
    kind: 'no_quota',
    status: 402,
    code: /insufficient_quota|billing/i,
    message: /exceeded your current quota|insufficient (?:quota|credits|balance|funds)|credit balance/i,
  },
  // OpenAI; vLLM; llama.cpp
  {
    kind: 'too_long',
    code: /context_length_exceeded|exceed_context_size/i,
    message: /maximum context length|maximum model length|available context size|context window|prompt is too long/i,
  },
  // OpenAI, Ollama, vLLM; LiteLLM; Azure; OpenRouter; transformers serve
  {
    kind: 'unknown_model',
    code: /model_not_found|DeploymentNotFound/i,
    message:
      /\bmodel\b.{0,120}(?:not found|not exist|not available)|invalid model|unknown model|no such model|no endpoints found|not a valid model|server is pinned to/i,
  },
  // LiteLLM looks for a key that is not its master key in a database; Gemini. Both say so with 400
  {
    kind: 'wrong_key',
    code: /no_db_connection|API_KEY_INVALID/,
    message: /\bno connected db\b|api key not valid/i,
  },
]

/** @returns null where there is nothing to tell beside the status */
export function errorKind(
  status: number,
  { code, type, message }: Pick<UpstreamError, 'code' | 'type' | 'message'>,
): ErrorKind | null {
  const fits = (rule: Rule) =>
    rule.status === status ||
    [code, type].some(name => name !== null && rule.code?.test(name)) ||
    (message !== null && rule.message.test(message.slice(0, MAX_READ)))
  return RULES.find(fits)?.kind ?? null
}

/** Letters of a message that are looked at. */
const MAX_READ = 2000
