/** Fields of a request that some endpoints refuse, and that it can do without. */
const OPTIONAL_FIELDS = ['max_tokens', 'temperature'] as const
export type OptionalField = (typeof OPTIONAL_FIELDS)[number]

/**
 * "Unsupported parameter", "does not support 0 with this model", "Only temperature=1 is supported"; "Extra inputs are not
 * permitted", "Unrecognized request argument supplied", "is deprecated for this model".
 */
const REFUSAL =
  /unsupported|(not|n't) support|only .{1,40} supported|not permitted|unrecognized|unknown (parameter|argument|field)|deprecated/i

/**
 * The field of a request that the endpoint says it does not take, or not with the value that was sent; null where it says
 * no such thing. OpenAI and Azure name it in `param`, with the code `unsupported_parameter` or `unsupported_value`;
 * gateways (LiteLLM, OpenRouter) repeat OpenAI's sentence within their own; servers of strict schemas (FastAPI's, Mistral)
 * name it in `param` as `errorIn` reads it.
 * @param error What the client library throws.
 */
export function unsupportedField(error: unknown): OptionalField | null {
  const { status, error: body, message } = (error ?? {}) as { status?: unknown; error?: unknown; message?: unknown }
  if (status !== 400 && status !== 422) return null
  const { code, param } = (body ?? {}) as { code?: unknown; param?: unknown }
  const text = `${JSON.stringify(body ?? null)} ${String(message)}`
  const isRefused = REFUSAL.test(text)
  const named = OPTIONAL_FIELDS.find(field => field === param)
  if (named && (isRefused || (typeof code === 'string' && code.startsWith('unsupported_')))) return named
  return isRefused ? (OPTIONAL_FIELDS.find(field => text.includes(field)) ?? null) : null
}
