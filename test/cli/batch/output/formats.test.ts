import t from 'tap'
import { COLUMNS, FORMATS } from '../../../../src/cli/batch/output/formats.js'
import type { OutputRecord } from '../../../../src/cli/batch/output/record.js'

const record: OutputRecord = {
  key: '0123456789abcdef-01234567',
  index: 3,
  error: null,
  id: 'a, "b"',
  image: 'pages/1.png',
  question: 'First line\nsecond, and "third"',
  copied: { answers: ['7'], answer: 'true one', kind: 'receipt' },
  bbox: [1, 2, 3, 4],
  bbox_pixels: [10, 20, 30, 40],
  image_width: 1000,
  image_height: 500,
  decision: 'zoomed',
  reason: null,
  would_skip: null,
  confidence: 0.5,
  raw: ' [1, 2, 3, 4].',
  model: 'mini',
  answer: '=7',
  finish_reason: 'stop',
  refusal: null,
  target: 'first',
  usage: { prompt_tokens: 9, completion_tokens: 2 },
  compare: { answer: '8', agrees: false, refusal: null },
  latency_ms: 12.5,
}

t.test('JSONL: the key, the index and the error come first, copied keys last', async t => {
  const line = FORMATS.jsonl.write(record)
  t.match(line, /^\{"key":"0123456789abcdef-01234567","index":3,"error":null,"id":"a, \\"b\\""[^\n]*\}\n$/)
  const { copied, ...own } = record
  t.same(JSON.parse(line), { ...own, answers: ['7'], kind: 'receipt', input_answer: 'true one' })
  t.same(FORMATS.jsonl.start.exec(line)?.slice(1), ['0123456789abcdef', '01234567', '3', 'null'])
  const failed = FORMATS.jsonl.write({ ...record, error: { code: 'x', message: 'y', status: null } })
  t.equal(FORMATS.jsonl.start.exec(failed)?.[4], '{')
})

t.test('CSV: the columns of RFC 4180, quoted where they must be', async t => {
  t.equal(FORMATS.csv.header, `${Object.keys(COLUMNS).join(',')}\r\n`)
  const line = FORMATS.csv.write(record)
  t.equal(
    line,
    '0123456789abcdef-01234567,3,,,"a, ""b""",pages/1.png,"First line\nsecond, and ""third""",1,2,3,4,10,20,30,40,1000,' +
      '500,zoomed,,,0.5," [1, 2, 3, 4].",mini,,=7,stop,,first,9,2,8,false,12.5,' +
      '"{""answers"":[""7""],""answer"":""true one"",""kind"":""receipt""}"\r\n',
  )
  t.same(FORMATS.csv.start.exec(line)?.slice(1), ['0123456789abcdef', '01234567', '3', ''])
  const failed = FORMATS.csv.write({ ...record, error: { code: 'queue_full', message: 'y', status: 429 } })
  t.equal(FORMATS.csv.start.exec(failed)?.[4], 'queue_full')
})

t.test('no start of a file of another kind passes for a record', async t => {
  for (const text of ['{"id":1}', 'hello', '{"key":"x"', '0123,4'])
    for (const { start } of Object.values(FORMATS)) t.notMatch(text, start)
  t.equal(FORMATS.csv.begins('hello'), false)
  t.equal(FORMATS.jsonl.begins('hello'), false)
})
