import { CropVlmError } from '../errors.js'
import { NO_SPAN, type Span } from '../tracing/span.js'
import { readMessage } from './reply/message.js'

/**
 * The span of one call of a chat endpoint, by the semantic conventions of generative AI, of which the names used here are
 * the settled ones. What is asked and answered is not told.
 */
export function callSpan(parent: Span | undefined, baseUrl: string, model: string, role: string): Span {
  const span = (parent ?? NO_SPAN).child(`chat ${model}`, { kind: 'client' })
  if (!span.ids) return span
  const { hostname, port, protocol } = new URL(baseUrl)
  span.set({
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': model,
    'server.address': hostname,
    'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
    'cropvlm.role': role,
  })
  return span
}

/** A reply came. */
export function tellReply(span: Span, reply: unknown): void {
  if (!span.ids) return
  const message = readMessage(reply)
  span.set({
    'gen_ai.usage.input_tokens': message?.usage?.promptTokens,
    'gen_ai.usage.output_tokens': message?.usage?.completionTokens,
  })
}

/** The call failed. */
export function tellFailure(span: Span, error: unknown): void {
  if (!span.ids) return
  const status = CropVlmError.from(error).details?.status
  span.set({ 'http.response.status_code': typeof status === 'number' ? status : undefined })
  span.fail(error)
}
