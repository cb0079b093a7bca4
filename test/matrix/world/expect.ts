/** What a reply has to be. */
import assert from 'node:assert/strict'
import type { ErrorCode } from '../../../src/errors.js'
import type { Reply } from './client.js'

/** A status and a code, such as `400 invalid_body`. */
export type Refusal = `${number} ${ErrorCode}`

/** The status, the code and the time, as the table shows them. */
export function told({ status, body: { error }, ms }: Reply): string {
  return `${status}${error ? ` ${error.code}` : ''} in ${Math.round(ms)} ms`
}

/**
 * That the reply is one of these refusals, in the envelope of errors, with the id that its header has.
 * @throws AssertionError
 */
export function assertRefused(reply: Reply, wanted: readonly Refusal[]): void {
  const { status, body, text } = reply
  const { error, request_id: id } = body
  const got = `${status} ${error?.code ?? ''}`.trim()
  assert.ok(
    (wanted as readonly string[]).includes(got),
    `wanted ${wanted.join(' or ')}, got ${got}: ${text.slice(0, 160)}`,
  )
  for (const part of ['message', 'type', 'source'] as const)
    assert.ok(error?.[part], `the error has no ${part}: ${text.slice(0, 160)}`)
  assert.ok(id, 'the error has no request_id')
  assert.equal(id, reply.header('x-request-id'), 'the header has another request id')
}

/**
 * That the reply is a box in whole per cents.
 * @throws AssertionError
 */
export function assertAnswered({ status, body, text }: Reply): void {
  assert.equal(status, 200, `wanted a box, got ${status}: ${text.slice(0, 160)}`)
  assert.ok(isBox(body.bbox), `no box: ${JSON.stringify(body.bbox)}`)
  assert.ok(['zoomed', 'fallback', 'skipped', 'given'].includes(body.decision ?? ''), `decision ${body.decision}`)
}

export function isBox(box: unknown): box is [number, number, number, number] {
  if (!Array.isArray(box) || box.length !== 4) return false
  const [x1, y1, x2, y2] = box
  return box.every(n => Number.isInteger(n) && n >= 0 && n <= 100) && x2 > x1 && y2 > y1
}
