/** Replies in whatever pieces and with whatever line ends they come. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { readText } from '../../../src/openai/reply/bounded-text.js'
import { isEventStream, joinEvents } from '../../../src/openai/reply/event-stream.js'
import { inPieces, pieces } from '../../support/properties/pieces.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

const words = fc.array(
  fc.constantFrom('a', 'é', '🙂', '"', '\n', '\r\n', ' ', 'data: ', '[DONE]', 'data:[DONE]', ':'),
  {
    maxLength: 12,
  },
)
const content = words.map(parts => parts.join(''))

const read = (text: string, cuts: readonly number[]) => readText(Readable.from(inPieces(Buffer.from(text), cuts)))

holds(
  'a body is the same text, in whatever pieces it comes',
  fc.asyncProperty(fc.array(content), pieces, async (contents, cuts) => {
    // no JSON text holds a line break, so that none looks like the end of an event stream
    const text = JSON.stringify({ choices: contents })
    assert.equal(await read(text, cuts), text)
  }),
  300,
)

t.test('the end of an event stream that a text quotes is not its own, wherever a piece ends', async t => {
  const text = '{"choices":["data: [DONE]"]}'
  for (let at = 1; at < text.length; at++)
    for (let then = 1; at + then < text.length; then++) assert.equal(await read(text, [at, then]), text)
  t.pass()
})

const comment = fc.constantFrom('', ': keep-alive\n\n', ':\n', 'id: 7\n', 'retry: 10\n\n')
const stream = fc.array(fc.tuple(content, comment), { maxLength: 6 })
const lineEnds = fc.constantFrom('\n', '\r\n', '\r')

holds(
  'an event stream adds up to its texts, whatever its pieces, line ends and comments',
  fc.asyncProperty(stream, lineEnds, pieces, fc.boolean(), content, async (events, end, cuts, isDone, behind) => {
    const chunk = (delta: object, finish_reason: string | null = null) =>
      `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason }] })}\n\n`
    const lines = [
      chunk({ role: 'assistant' }),
      ...events.flatMap(([content, comment]) => [comment, chunk({ content })]),
      chunk({}, 'stop'),
      isDone ? `data: [DONE]\n\n${chunk({ content: behind })}` : '',
    ]
    const text = lines.join('').replaceAll('\n', end)
    const got = await read(text, cuts)
    expect(isEventStream(got), 'it is none')
    const joined = joinEvents(got) as unknown as {
      choices: [{ message: { content: string | null }; finish_reason: string }]
    }
    const [{ message, finish_reason }] = joined.choices
    assert.equal(message.content ?? '', events.map(([content]) => content).join(''))
    assert.equal(finish_reason, 'stop')
  }),
  300,
)
