/** The proxy's scanner of JSON against `JSON.parse`: same values at the places given, and edits that touch nothing else. */
import assert from 'node:assert/strict'
import { OPTIONS_FIELD, readChat } from '../../src/proxy/chat/conversation.js'
import { BlankMember } from '../../src/proxy/json/blank-member.js'
import { applyEdits, cutMembers, type Edit } from '../../src/proxy/json/edit.js'
import {
  itemsOf,
  kindOf,
  membersOf,
  parseAt,
  type Span,
  textOf,
  UnreadableJsonError,
  wholeValue,
} from '../../src/proxy/json/scan.js'
import { zoomOptions } from '../../src/proxy/options.js'
import { choices, orCoded, type Target } from '../target.js'

const WORDS = [
  '"cropvlm"',
  '"model"',
  '"messages"',
  '"input"',
  '"role"',
  '"user"',
  '"content"',
  '"type"',
  '"text"',
  '"image_url"',
  '"input_image"',
  '"source"',
  '\\u',
  '\\"',
]

export const target: Target = {
  isSync: true,
  maxLength: 8192,
  maxMs: 100,
  words: WORDS,
  run(input) {
    const { numbers, rest: json } = choices(input, 2)
    const value = parsed(json)
    const chat = orUnreadable(() => readChat(json, wholeValue(json), 'Crop of image {image}:'))
    const blanked = blank(json, 1 + (numbers[0] ?? 0))
    assert.equal(blanked.length, json.length)
    if (value === undefined) return
    assert.ok(chat, 'valid JSON was not read')
    compare(json, chat.root, value, 0)
    if (!isObject(value)) return
    assert.equal(chat.model?.text, typeof value.model === 'string' ? value.model : undefined)
    const options = chat.options && parseAt(json, chat.options)
    assert.deepEqual(options, value[OPTIONS_FIELD])
    orCoded(['invalid_option', 'unknown_option'], () =>
      zoomOptions(null, options, { zoom: 'always', zoomMaxImages: 1 }),
    )
    for (const key of [OPTIONS_FIELD, Object.keys(value)[(numbers[1] ?? 0) % 8] ?? 'usage'])
      checkCut(json, chat.root, key)
    assert.deepEqual(JSON.parse(blanked.toString()), without(value, OPTIONS_FIELD))
  },
}

/** The value at a place is what the parser says, at every depth. */
function compare(json: Buffer, span: Span, value: unknown, depth: number): void {
  assert.deepEqual(parseAt(json, span), value)
  if (depth > 20) return
  if (Array.isArray(value)) {
    const items = itemsOf(json, span)
    assert.equal(items.length, value.length)
    for (const [i, item] of items.entries()) compare(json, item, value[i], depth + 1)
    return
  }
  if (!isObject(value)) {
    assert.equal(textOf(json, span), typeof value === 'string' ? value : undefined)
    assert.equal(kindOf(json, span), typeof value === 'string' ? 'text' : 'other')
    return
  }
  // of several members with one name the last counts
  const last = new Map(membersOf(json, span).map(member => [member.key, member.value]))
  assert.deepEqual([...last.keys()].sort(), Object.keys(value).sort())
  for (const [key, place] of last) compare(json, place, value[key], depth + 1)
}

/** Cutting a member leaves every other byte, and the object without it. */
function checkCut(json: Buffer, root: Span, key: string): void {
  const edits = cutMembers(json, root, key)
  const cut = applyEdits(json, edits)
  assert.deepEqual(JSON.parse(cut.toString()), without(JSON.parse(json.toString()), key))
  assert.ok(cut.equals(Buffer.from(kept(json, edits), 'latin1')), 'another byte has changed')
}

function kept(json: Buffer, edits: readonly Edit[]): string {
  let text = json.toString('latin1')
  for (const { start, end } of edits.toSorted((one, other) => other.start - one.start))
    text = text.slice(0, start) + text.slice(end)
  return text
}

/** The text in pieces of some bytes, with our own field blanked. */
function blank(json: Buffer, size: number): Buffer {
  const stream = new BlankMember(OPTIONS_FIELD)
  const pieces: Buffer[] = []
  const done = (_error?: Error | null, piece?: Buffer) => {
    if (piece) pieces.push(Buffer.from(piece))
  }
  for (let at = 0; at < json.length; at += size) stream._transform(json.subarray(at, at + size), 'binary', done)
  stream._flush(done)
  return Buffer.concat(pieces)
}

function without(value: unknown, key: string): unknown {
  return Object.fromEntries(Object.entries(value as object).filter(([name]) => name !== key))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function orUnreadable<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnreadableJsonError) return null
    throw error
  }
}

function parsed(json: Buffer): unknown {
  try {
    return JSON.parse(json.toString())
  } catch {
    return undefined
  }
}
