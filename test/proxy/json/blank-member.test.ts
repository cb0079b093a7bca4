import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import t from 'tap'
import { BlankMember } from '../../../src/proxy/json/blank-member.js'
import { randomJson } from '../../support/random-json.js'
import { seeded } from '../../support/scripted.js'

/** The text after it has come in pieces. */
async function blanked(text: string, cuts: readonly number[] = []): Promise<string> {
  const bytes = Buffer.from(text)
  const ends = [...cuts, bytes.length].toSorted((one, other) => one - other)
  const pieces = ends.map((end, i) => bytes.subarray(ends[i - 1] ?? 0, end))
  return (await buffer(Readable.from(pieces).pipe(new BlankMember('cropvlm')))).toString()
}

t.test('spaces stand for the member and one comma', async t => {
  for (const [text, expected] of [
    ['{"cropvlm":1}', '{ }'],
    ['{"a":1,"cropvlm":{"x":[1,2]}}', '{"a":1 }'],
    ['{"a":1,"cropvlm":{},"b":2}', '{"a":1 ,"b":2}'],
    ['{"cropvlm":"}\\"","a":1}', '{ "a":1}'],
    ['{"crop\\u0076lm":1,"cropvlm":2,"a":3}', '{ "a":3}'],
    ['[{"cropvlm":1},2]', '[{"cropvlm":1},2]'],
    ['{"a":{"cropvlm":1},"b":"cropvlm"}', '{"a":{"cropvlm":1},"b":"cropvlm"}'],
    ['no json', 'no json'],
    ['{"cropvlm', '{"cropvlm'],
  ] as const) {
    const passed = await blanked(text)
    t.equal(passed.replace(/ +/g, ' '), expected)
    t.equal(passed.length, text.length)
  }
})

t.test('500 objects in pieces: the same value without the member, as long as before', async t => {
  for (let seed = 0; seed < 500; seed++) {
    const random = seeded(seed)
    const text = `{"first":${randomJson(seed)},"cropvlm":${randomJson(seed + 1)},"last":${randomJson(seed + 2)}}`
    const length = Buffer.byteLength(text)
    const cuts = Array.from({ length: seed % 7 }, () => Math.floor(random() * length))
    const passed = await blanked(text, cuts)
    const { cropvlm, ...rest } = JSON.parse(text)
    t.strictSame(JSON.parse(passed), rest, text)
    t.equal(Buffer.byteLength(passed), length)
  }
})

t.test('without the member every byte stays', async t => {
  for (let seed = 0; seed < 300; seed++) {
    const text = randomJson(seed).replaceAll('cropvlm', 'zoom')
    t.equal(await blanked(text, [Math.floor(text.length / 2)]), text)
  }
})

t.test('what is settled is passed on at once', async t => {
  const stream = new BlankMember('cropvlm')
  stream.write('{"model":"vlm","messages":[')
  t.equal(String(stream.read()), '{"model":"vlm","messages":[')
  stream.write('1],"crop')
  t.equal(String(stream.read()), '1]', 'but for a comma and a key')
  stream.end('s":1}')
  t.equal(String(stream.read()), ',"crops":1}')
})
