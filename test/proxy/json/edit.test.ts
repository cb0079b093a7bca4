import t from 'tap'
import { applyEdits, cutMembers, insert } from '../../../src/proxy/json/edit.js'
import { membersOf, wholeValue } from '../../../src/proxy/json/scan.js'
import { randomJson } from '../../support/random-json.js'

t.test('edits change what they name and nothing else', async t => {
  const json = Buffer.from('{"n": 12345678901234567890, "s":"\\u00e9", "l":[1]}')
  const changed = applyEdits(json, [insert(48, ',2'), { start: 6, end: 26, text: '7' }, insert(48, ',3')])
  t.equal(changed.toString(), '{"n": 7, "s":"\\u00e9", "l":[1,2,3]}')
  t.equal(applyEdits(json, []), json, 'without edits it is the same Buffer')
  t.throws(() => applyEdits(json, [{ start: 1, end: 9, text: '' }, insert(5, 'x')]), /overlap/)
})

t.test('members are cut with their comma', async t => {
  for (const [text, expected] of [
    ['{"x":1}', '{}'],
    ['{"x":1, "a":2}', '{"a":2}'],
    ['{ "a":2 , "x" : {"x":[]} }', '{ "a":2 }'],
    ['{"a":1,"x":2,"b":3}', '{"a":1,"b":3}'],
    ['{"a":1,"x":2,"x":3}', '{"a":1}'],
    ['{"x":1,"x":2,"a":3,"\\u0078":4}', '{"a":3}'],
    ['{"a":{"x":1}}', '{"a":{"x":1}}'],
  ] as const) {
    const json = Buffer.from(text)
    t.equal(applyEdits(json, cutMembers(json, wholeValue(json), 'x')).toString(), expected, text)
  }
})

t.test('of 1000 objects, what is left is the object without the member, and every other byte', async t => {
  let cut = 0
  for (let seed = 0; seed < 1000; seed++) {
    const json = Buffer.from(
      `{"first":${randomJson(seed)},"cropvlm":${randomJson(seed + 1)},"last":${randomJson(seed)}}`,
    )
    const edits = cutMembers(json, wholeValue(json), 'cropvlm')
    const left = applyEdits(json, edits)
    const { cropvlm, ...rest } = JSON.parse(json.toString())
    t.strictSame(JSON.parse(left.toString()), rest)
    t.strictSame(
      membersOf(left, wholeValue(left)).map(({ key }) => key),
      ['first', 'last'],
    )
    cut += edits.length
  }
  t.equal(cut, 1000)
})
