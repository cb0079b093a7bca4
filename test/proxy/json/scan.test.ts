import t from 'tap'
import {
  itemsOf,
  kindOf,
  memberOf,
  membersOf,
  parseAt,
  type Span,
  textOf,
  UnreadableJsonError,
  wholeValue,
} from '../../../src/proxy/json/scan.js'
import { randomJson } from '../../support/random-json.js'

/** The value by way of the places of its members and items alone. */
function rebuilt(json: Buffer, span: Span): unknown {
  switch (kindOf(json, span)) {
    case 'object':
      return Object.fromEntries(membersOf(json, span).map(({ key, value }) => [key, rebuilt(json, value)]))
    case 'list':
      return itemsOf(json, span).map(item => rebuilt(json, item))
    default:
      return parseAt(json, span)
  }
}

t.test('1000 texts read by their places are what JSON.parse reads', async t => {
  const kinds = new Set<string>()
  for (let seed = 0; seed < 1000; seed++) {
    const text = randomJson(seed)
    const json = Buffer.from(text)
    const whole = wholeValue(json)
    kinds.add(kindOf(json, whole))
    t.strictSame(rebuilt(json, whole), JSON.parse(text), text)
    t.equal(json.toString('utf8', whole.start, whole.end), text.trim())
  }
  t.strictSame([...kinds].sort(), ['list', 'object', 'other', 'text'])
})

t.test('places are bytes, not characters', async t => {
  const json = Buffer.from('{"é☃":"☃☃", "b" : [1, "x"]}')
  const [first, second] = membersOf(json, wholeValue(json))
  t.match(first, { key: 'é☃', start: 1, value: { start: 9, end: 17 } })
  t.equal(json.toString('utf8', second?.start, second?.end), '"b" : [1, "x"]')
})

t.test('a text is what JSON.parse makes of it, short or long, with escapes or without', async t => {
  for (const text of ['', 'user', 'é', 'a\\b', '\u0041', '"', 'x'.repeat(64), 'x'.repeat(65), 'tab\t', '\u007f'])
    for (const json of [Buffer.from(JSON.stringify(text)), Buffer.from('"\\u0041"')])
      t.equal(textOf(json, wholeValue(json)), JSON.parse(json.toString()))
  t.throws(() => textOf(Buffer.from('"a\nb"'), { start: 0, end: 5 }), UnreadableJsonError, 'a raw line end')
})

t.test('of two members with one key the last counts; another key gives none', async t => {
  const json = Buffer.from('{"a":1,"a":"two"}')
  const whole = wholeValue(json)
  t.equal(textOf(json, memberOf(json, whole, 'a')), 'two')
  t.equal(memberOf(json, whole, 'b'), undefined)
  t.equal(textOf(json, memberOf(json, whole, 'b')), undefined)
  t.strictSame(itemsOf(json, whole), [], 'an object has no items')
})

t.test('what is no JSON is told as such', async t => {
  for (const text of [
    '',
    '  ',
    '{',
    '[1,2',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '[1,]',
    '{a:1}',
    '"abc',
    '{"a":1}x',
    '[1 2]',
  ])
    t.throws(
      () => {
        const json = Buffer.from(text)
        rebuilt(json, wholeValue(json))
      },
      UnreadableJsonError,
      text,
    )
})

t.test('nesting a million deep and a list of a million are no harm', async t => {
  const deep = Buffer.from('['.repeat(1e6) + ']'.repeat(1e6))
  t.equal(itemsOf(deep, wholeValue(deep)).length, 1)
  const flat = Buffer.from(`[${'0,'.repeat(1e6)}0]`)
  t.throws(() => itemsOf(flat, wholeValue(flat)), { name: 'UnreadableJsonError', message: /100000 entries/ })
})
