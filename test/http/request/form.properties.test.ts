/** What a caller sends is what the engine gets, however it is written and in whatever pieces it arrives. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { oneLine } from '../../../src/contract/question.js'
import { CropVlmError } from '../../../src/errors.js'
import { decodeBase64 } from '../../../src/http/request/base64.js'
import { IMAGE, makeApp } from '../../support/fakes/app.js'
import { jobsOf } from '../../support/fakes/scripted-engine.js'
import { inPieces, pieces } from '../../support/properties/pieces.js'
import { holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

const { app, engine } = await makeApp(t)

const bytes = fc.uint8Array({ maxLength: 200 }).map(more => Buffer.concat([IMAGE, more]))
/** Bytes and letters that the parser of forms looks for. */
const bait = fc.constantFrom('\r\n', '--b', '\r\n--', '\r\n--B', '-', '\n', '\r', 'é', '🙂', 'a', ' ', '"')
const baits = fc.array(bait, { maxLength: 10 }).map(parts => parts.join(''))
const question = baits.map(text => `What ${text}?`)

holds(
  'a form in whatever pieces: the image and the question that were sent',
  fc.asyncProperty(bytes, baits, question, pieces, fc.boolean(), async (file, more, question, cuts, isImageFirst) => {
    const image = Buffer.concat([file, Buffer.from(more)])
    const part = (disposition: string, content: Buffer) =>
      Buffer.concat([
        Buffer.from(`--bound\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n`),
        content,
        Buffer.from('\r\n'),
      ])
    const parts = [part('name="image"; filename="a.png"', image), part('name="question"', Buffer.from(question))]
    const body = Buffer.concat([...(isImageFirst ? parts : parts.reverse()), Buffer.from('--bound--\r\n')])
    const headers = { 'content-type': 'multipart/form-data; boundary=bound' }
    const reply = await app.inject({
      method: 'POST',
      url: '/crop',
      headers,
      payload: Readable.from(inPieces(body, cuts)),
    })
    assert.equal(reply.statusCode, 200, reply.body)
    const job = jobsOf(engine, 'locate').at(-1)
    assert.deepEqual(job?.questions, [oneLine(question)])
    assert.ok(image.equals(job?.image ?? Buffer.of()), 'another image')
    engine.jobs.length = 0
  }),
  150,
)

const white = fc.string({ unit: fc.constantFrom('', ' ', '\n', '\r', '\t', '\f'), maxLength: 3 })

holds(
  'base64 of either alphabet, with white space anywhere and padding or none: the bytes',
  fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 40 }),
    fc.boolean(),
    fc.boolean(),
    fc.array(white),
    (...given) => {
      const [bytes, isUrl, isPadded, spaces] = given
      const padded = Buffer.from(bytes).toString('base64')
      const written = isUrl ? padded.replaceAll('+', '-').replaceAll('/', '_') : padded
      const letters = isPadded ? written : written.replaceAll('=', '')
      const text = [...letters].map((letter, i) => (spaces[i % Math.max(1, spaces.length)] ?? '') + letter).join('')
      assert.deepEqual([...decodeBase64(text)], [...bytes])
    },
  ),
  500,
)

holds(
  'any text is base64, or is told why it is none',
  fc.property(fc.string({ unit: fc.constantFrom(...'AZaz09+/-_= \n%"\'é'), maxLength: 30 }), text => {
    try {
      const bytes = decodeBase64(text)
      const letters = text.replace(/[\s=]/g, '').replaceAll('-', '+').replaceAll('_', '/')
      assert.equal(bytes.length, Math.floor((letters.length * 3) / 4))
    } catch (error) {
      assert.ok(error instanceof CropVlmError, `${error}`)
      assert.match(error.code, /^(invalid_base64|missing_field)$/)
    }
  }),
  500,
)
