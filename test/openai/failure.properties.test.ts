import assert from 'node:assert/strict'
import fc from 'fast-check'
import OpenAI from 'openai'
import t from 'tap'
import { asCoded } from '../../src/openai/failure.js'
import { cropperParty } from '../../src/openai/party.js'
import { holds } from '../support/properties/runs.js'

t.setTimeout(3_600_000)

/** What is told of an endpoint's `Retry-After`. */
function told(header: string): unknown {
  const refusal = OpenAI.APIError.generate(429, {}, undefined, new Headers({ 'retry-after': header }))
  const circumstances = {
    party: cropperParty('CROPPER'),
    secrets: { apiKey: null, question: '' },
    deadlinePassed: false,
    isFirst: false,
  }
  return asCoded(refusal, circumstances).details?.retry_after
}

holds(
  'Retry-After: its seconds, or nothing',
  fc.property(fc.oneof(fc.string({ unit: fc.constantFrom(...'0123456789.-+exE ') }), fc.nat().map(String)), header => {
    const after = told(header)
    const isNumber = /^\d{1,9}(\.\d{1,9})?$/.test(header.trim())
    assert.equal(after, isNumber ? Number(header) : undefined)
  }),
  300,
)

t.test('Retry-After that makes no sense is not passed on', async t => {
  for (const header of ['', '-5', '0x10', '1e3', 'Sun, 29 Nov 2026 19:00:00 GMT'])
    t.equal(told(header), undefined, header)
})
