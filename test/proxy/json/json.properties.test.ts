/** JSON read and changed by position: of any text, in any pieces, what a parser makes of it. */
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import t from 'tap'
import { BlankMember } from '../../../src/proxy/json/blank-member.js'
import { applyEdits, cutMembers } from '../../../src/proxy/json/edit.js'
import {
  itemsOf,
  kindOf,
  membersOf,
  parseAt,
  textOf,
  UnreadableJsonError,
  wholeValue,
} from '../../../src/proxy/json/scan.js'
import { inPieces, pieces } from '../../support/properties/pieces.js'
import { expect, holds } from '../../support/properties/runs.js'

t.setTimeout(3_600_000)

const space = fc.constantFrom('', '', ' ', '\n', '\r\n\t')
/** A text as some encoder writes it, with escapes where none are needed. */
const text = fc
  .tuple(fc.string({ unit: fc.constantFrom(...'ab"\\/{}[],: é漢🙂\n\u0007'), maxLength: 8 }), fc.boolean())
  .map(([text, isEscaped]) => (isEscaped ? escaped(text) : JSON.stringify(text)))
const key = fc.oneof(text, fc.constantFrom('"cropvlm"', '"crop\\u0076lm"', '"__proto__"'))
const scalar = fc.constantFrom('0', '-1.5e+30', '12345678901234567890', 'true', 'false', 'null')

const { json } = fc.letrec<{ json: string; list: string; object: string }>(tie => ({
  json: fc.oneof({ maxDepth: 4, withCrossShrink: true }, scalar, text, tie('list'), tie('object')),
  list: fc
    .array(fc.tuple(space, tie('json'), space), { maxLength: 4 })
    .map(items => `[${items.map(item => item.join('')).join(',')}]`),
  object: fc
    .array(fc.tuple(space, key, space, fc.constant(':'), space, tie('json'), space), { maxLength: 4 })
    .map(members => `{${members.map(member => member.join('')).join(',')}}`),
}))
const spaced = fc.tuple(space, json, space).map(parts => parts.join(''))

function escaped(text: string): string {
  const units = Array.from({ length: text.length }, (_, i) => text.charCodeAt(i).toString(16).padStart(4, '0'))
  return `"${units.map(unit => `\\u${unit}`).join('')}"`
}

/** The value by way of the places of its members and items alone. */
function rebuilt(json: Buffer, span = wholeValue(json)): unknown {
  switch (kindOf(json, span)) {
    case 'object':
      return Object.fromEntries(membersOf(json, span).map(({ key, value }) => [key, rebuilt(json, value)]))
    case 'list':
      return itemsOf(json, span).map(item => rebuilt(json, item))
    case 'text':
      return textOf(json, span)
    default:
      return parseAt(json, span)
  }
}

holds(
  'read by places: what JSON.parse reads, at the place where it stands',
  fc.property(spaced, text => {
    const json = Buffer.from(text)
    const { start, end } = wholeValue(json)
    assert.deepEqual(rebuilt(json), JSON.parse(text))
    assert.equal(json.toString('utf8', start, end), text.trim())
  }),
  500,
)

holds(
  'cut short or damaged: read as JSON.parse reads it, or told to be no JSON',
  fc.property(spaced, fc.nat(200), fc.option(fc.constantFrom(...'{}[]",:\\ 0x'), { nil: '' }), (text, at, letter) => {
    const damaged = letter ? text.slice(0, at) + letter + text.slice(at + 1) : text.slice(0, at)
    try {
      const value = rebuilt(Buffer.from(damaged))
      assert.deepEqual(value, JSON.parse(damaged))
    } catch (error) {
      expect(error instanceof UnreadableJsonError, () => `${error}`)
      assert.throws(() => JSON.parse(damaged), 'told to be no JSON')
    }
  }),
  500,
)

/** The value without the members of its outermost object that have this key. */
function without(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key))
}

holds(
  'members cut out: the value without them, and every other byte',
  fc.property(spaced, text => {
    const json = Buffer.from(text)
    const whole = wholeValue(json)
    const edits = kindOf(json, whole) === 'object' ? cutMembers(json, whole, 'cropvlm') : []
    const left = applyEdits(json, edits).toString()
    assert.deepEqual(JSON.parse(left), without(JSON.parse(text), 'cropvlm'))
    const cut = edits.reduce((sum, { start, end }) => sum + end - start, 0)
    assert.equal(Buffer.byteLength(left), json.length - cut)
  }),
  500,
)

holds(
  'a member blanked out as it comes, in whatever pieces: the value without it, and the length',
  fc.asyncProperty(spaced, pieces, async (text, cuts) => {
    const json = Buffer.from(text)
    const passed = await buffer(Readable.from(inPieces(json, cuts)).pipe(new BlankMember('cropvlm')))
    assert.equal(passed.length, json.length)
    assert.deepEqual(JSON.parse(passed.toString()), without(JSON.parse(text), 'cropvlm'))
    const changed = [...passed].filter((byte, i) => byte !== json[i])
    expect(
      changed.every(byte => byte === 0x20),
      'a byte became another',
    )
  }),
  300,
)
