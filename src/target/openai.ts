/** OpenAI-compatible chat completions (vLLM, SGLang, Ollama, llama.cpp, OpenAI). The only file that imports `openai`. */
import OpenAI from 'openai'
import type { OpenAiTargetConfig } from '../config/service.js'
import { CropVlmError } from '../errors.js'
import { userMessage } from './chat-message.js'
import { Semaphore } from './semaphore.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'
import { TimedOut, timer } from './timer.js'

export function openAiTarget(config: OpenAiTargetConfig): Target {
  const client = new OpenAI({
    baseURL: config.baseUrl,
    // the library would read these from the environment if they were left out
    apiKey: config.apiKey ?? 'none',
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    ...(config.apiKey === null ? { defaultHeaders: { authorization: null } } : {}),
    // at its level debug the library prints whole requests; its own retries wait for as long as a Retry-After says
    logLevel: 'off',
    maxRetries: 0,
    timeout: config.timeoutMs,
  })
  const semaphore = new Semaphore(config.concurrency)
  return {
    name: config.name,
    model: config.model,
    kind: 'vlm',
    fullLongestEdge: config.fullEdge,
    cropLongestEdge: config.cropEdge,
    local: false,
    answer: request => answer(client, config, semaphore, request),
  }
}

/** The request's deadline and the target's own timeout have a signal each, so that the error can say which one passed. */
async function answer(
  client: OpenAI,
  { model, timeoutMs }: OpenAiTargetConfig,
  semaphore: Semaphore,
  request: TargetRequest,
): Promise<TargetAnswer> {
  const deadline = timer(request.deadline - Date.now())
  try {
    const waiting = AbortSignal.any([request.signal, deadline.signal])
    return await semaphore.run(waiting, async () => {
      const own = timer(timeoutMs)
      try {
        return await complete(client, model, request, AbortSignal.any([waiting, own.signal]))
      } finally {
        own.clear()
      }
    })
  } catch (error) {
    if (request.signal.aborted) throw new CropVlmError('request_aborted', 'The client went away.', { cause: error })
    throw asCoded(error, deadline.signal.aborted)
  } finally {
    deadline.clear()
  }
}

async function complete(
  client: OpenAI,
  model: string,
  request: TargetRequest,
  signal: AbortSignal,
): Promise<TargetAnswer> {
  const { maxTokens: max_tokens, temperature } = request
  // the library's own timeout covers the time until the reply's headers; the signal covers the body too
  const body = { model, max_tokens, temperature, messages: [userMessage(request)] }
  const call = (): Promise<unknown> => client.chat.completions.create(body, { signal })
  const reply = await call()
    // an endpoint may close a kept connection just as it is used again: the call is made once more, on a new connection
    .catch(error => (isHangUp(error) && !signal.aborted ? call() : Promise.reject(error)))
    .catch(error => Promise.reject(signal.aborted ? new TimedOut() : error))
  // what answers at that address may be anything, so nothing is taken for granted
  const { choices, usage } = (reply ?? {}) as { choices?: unknown; usage?: unknown }
  const content = Array.isArray(choices) ? choices[0]?.message?.content : undefined
  if (typeof content !== 'string' || content.trim() === '')
    throw new CropVlmError('target_failed', 'The target gave no answer: its reply has no choice with a text.', {
      details: { status: 200 },
    })
  return { text: content.trim(), usage: readUsage(usage) }
}

function readUsage(usage: unknown): TargetAnswer['usage'] {
  const { prompt_tokens: promptTokens, completion_tokens: completionTokens } = (usage ?? {}) as Record<string, unknown>
  return isCount(promptTokens) && isCount(completionTokens) ? { promptTokens, completionTokens } : null
}

/** Whether a value can be added to a counter. If an endpoint reports anything else, its answer is kept without the usage. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

/**
 * The target's failure as a coded error. The endpoint's own text is neither passed on nor logged, because endpoints
 * repeat keys and questions in it.
 */
function asCoded(error: unknown, deadlinePassed: boolean): CropVlmError {
  if (error instanceof CropVlmError) return error
  if (error instanceof TimedOut || error instanceof OpenAI.APIConnectionTimeoutError)
    return new CropVlmError(
      'target_timeout',
      deadlinePassed
        ? "The request's deadline passed before the target answered."
        : 'The target did not answer within its timeout (TARGET_TIMEOUT_MS).',
    )
  if (error instanceof OpenAI.APIConnectionError || isHangUp(error))
    return new CropVlmError('target_failed', 'The connection to the target failed: it is down, or it hung up.', {
      details: { status: null },
      cause: (error as Error).cause,
    })
  if (error instanceof OpenAI.APIError && typeof error.status === 'number') return refused(error)
  return new CropVlmError('target_failed', "The target's reply cannot be read: it is not a chat completion.", {
    details: { status: null },
    // a syntax error quotes the endpoint's text
    ...(error instanceof SyntaxError ? {} : { cause: error }),
  })
}

/** Whether the other side closed the connection: undici says so in the error or in one of its causes. */
function isHangUp(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown }
  return code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || (cause !== undefined && isHangUp(cause))
}

function refused({
  status,
  code,
  headers,
}: {
  status: number
  code?: unknown
  headers?: Headers | undefined
}): CropVlmError {
  const retryAfter = Number(headers?.get('retry-after') ?? Number.NaN)
  return new CropVlmError('target_failed', `The target replied ${status}${HINTS[status] ?? '.'}`, {
    details: {
      status,
      ...(typeof code === 'string' && /^\w{1,64}$/.test(code) ? { code } : {}),
      ...(Number.isFinite(retryAfter) ? { retry_after: retryAfter } : {}),
    },
  })
}

const HINTS: Readonly<Record<number, string>> = {
  400: ': it does not take this request; check that the model reads images.',
  401: ': it does not take the key; set TARGET_API_KEY.',
  403: ': the key may not use this model.',
  404: ': it has no such model or path; check TARGET_MODEL, and that TARGET_BASE_URL ends in /v1.',
  413: ': the pictures are too large for it; lower TARGET_FULL_EDGE and TARGET_CROP_EDGE.',
  429: ': it is over its rate limit; try again later.',
}
