import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { records } from '../../../src/cli/batch/records.js'
import { holds } from '../../support/properties/runs.js'

async function read(chunks: Buffer[], quoted = false) {
  const found: { text: string; end: number; whole: boolean }[] = []
  for await (const { bytes, end, whole } of records(Readable.from(chunks), 'rows', quoted))
    found.push({ text: String(bytes), end, whole })
  return found
}

/** The same bytes in pieces of any size. */
const cut = (bytes: Buffer, at: number[]) => {
  const places = [...new Set([0, ...at.map(place => place % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b)
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

const line = fc.string({ unit: fc.constantFrom('a', 'é', '€', '"', '\r', ' ') })
holds(
  'lines, however the bytes arrive',
  fc.asyncProperty(fc.array(line), line, fc.array(fc.nat()), async (lines, rest, places) => {
    const bytes = Buffer.from([...lines, rest].join('\n'))
    const found = await read(cut(bytes, places))
    const whole = found.filter(record => record.whole)
    assert.deepEqual(
      whole.map(({ text }) => text),
      lines,
    )
    assert.deepEqual(
      found.filter(record => !record.whole).map(({ text }) => text),
      rest === '' ? [] : [rest],
    )
    for (const [i, { end }] of whole.entries())
      assert.equal(end, Buffer.byteLength(`${lines.slice(0, i + 1).join('\n')}\n`))
  }),
  50,
)

const cell = fc.string({ unit: fc.constantFrom('a', '"', '\n', '\r', ',') })
holds(
  'records of CSV, with line feeds between quotes',
  fc.asyncProperty(fc.array(cell), fc.array(fc.nat()), async (cells, places) => {
    const lines = cells.map(text => `1,"${text.replaceAll('"', '""')}"\r`)
    const found = await read(cut(Buffer.from(lines.map(text => `${text}\n`).join('')), places), true)
    assert.deepEqual(
      found.map(({ text }) => text),
      lines,
    )
    assert.ok(found.every(({ whole }) => whole))
  }),
  50,
)

t.test('records of CSV, the last without an end', async t => {
  t.same(await read([Buffer.from('1,a\r\n2,"b\n')], true), [
    { text: '1,a\r', end: 5, whole: true },
    { text: '2,"b\n', end: 10, whole: false },
  ])
})

t.test('a line without an end is refused before memory runs out', async t => {
  const megabytes = function* (start: string) {
    yield Buffer.from(start)
    const chunk = Buffer.alloc(2 ** 20)
    for (let i = 0; i < 200; i++) yield chunk
  }
  const all = async (start: string, quoted: boolean) => {
    for await (const _record of records(Readable.from(megabytes(start)), 'rows.jsonl', quoted));
  }
  const message = (remedy: string) => `Record 2 of rows.jsonl is longer than 128 MiB. ${remedy}.`
  await t.rejects(all('{}\n{', false), {
    exitCode: 2,
    message: message('Write one row a line, and large images as paths'),
  })
  await t.rejects(all('a\n"b\n', true), {
    exitCode: 2,
    message: message('One of its quotes may not be closed; mend it'),
  })
})
