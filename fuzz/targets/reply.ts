/** The reply of a target, JSON or an event stream: a message with fields of their types, an error in our shape, or `OddReply`. */
import assert from 'node:assert/strict'
import { OddReply } from '../../src/openai/reply/bounded-text.js'
import { cleanReason, MAX_REASON } from '../../src/openai/reply/clean-reason.js'
import { readMessage } from '../../src/openai/reply/message.js'
import { tolerantFetch } from '../../src/openai/reply/tolerant-fetch.js'
import { errorIn } from '../../src/openai/reply/upstream-error.js'
import { choices, type Target } from '../target.js'

const STATUSES = [200, 200, 200, 400, 401, 429, 500, 503]
const SECRETS = { apiKey: 'sk-abcdefgh12345678', question: 'What is the total of the bill?' }

const WORDS = [
  'data: ',
  'event: error',
  '[DONE]',
  '\n\n',
  '"choices"',
  '"delta"',
  '"message"',
  '"content"',
  '"error"',
  '"detail"',
  '"metadata"',
  '"raw"',
  '"tool_calls"',
  '"function_call"',
  '"arguments"',
  '"thinking"',
  '"refusal"',
  '"usage"',
  '"finish_reason"',
  '"logprobs"',
]

export const target: Target = {
  isSync: false,
  maxLength: 32_768,
  maxMs: 300,
  words: WORDS,
  async run(input) {
    const { numbers, rest } = choices(input, 2)
    const status = STATUSES[(numbers[0] ?? 0) % STATUSES.length] ?? 200
    const size = 1 + (numbers[1] ?? 0) * 16
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < rest.length; at += size) controller.enqueue(new Uint8Array(rest.subarray(at, at + size)))
        controller.close()
      },
    })
    const fetch = tolerantFetch(async () => new Response(body, { status }))
    const response = await fetch('http://target').catch(oddReply)
    if (response === null) return
    assert.equal(response.status, status)
    const text = await response.text()
    const isJson = response.headers.get('content-type') === 'application/json'
    const reply: unknown = isJson ? JSON.parse(text) : text
    const told = errorIn(reply)
    if (status >= 400) assert.ok(told, 'an error became none')
    checkReason(told?.message ?? text)
    const message = readMessage(reply)
    if (message === null) return
    assert.equal(typeof message.content, 'string')
    for (const given of [message.reasoning, message.refusal, message.finishReason])
      assert.ok(given === null || (typeof given === 'string' && given !== ''))
    for (const call of message.calls) assert.ok(call.arguments === null || typeof call.arguments === 'string')
    assert.ok(message.usage === null || message.usage.promptTokens >= 0)
  },
}

function oddReply(error: unknown): null {
  if (error instanceof OddReply) return null
  throw error
}

/** One line, without the key and the question. */
function checkReason(words: string): void {
  const reason = cleanReason(`${words} ${SECRETS.apiKey} ${words}`, SECRETS)
  if (reason === null) return
  assert.ok([...reason].length <= MAX_REASON)
  assert.doesNotMatch(reason, /\p{Cc}/u)
  assert.ok(!reason.includes(SECRETS.apiKey) && !reason.includes(SECRETS.question), reason)
}
