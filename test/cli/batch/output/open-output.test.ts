import { appendFileSync, existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FORMATS, type FormatName } from '../../../../src/cli/batch/output/formats.js'
import { fileOutput } from '../../../../src/cli/batch/output/open-output.js'
import { keyOf, type OutputRecord } from '../../../../src/cli/batch/output/record.js'

const RUN = '0badcafe'
const options = (format: FormatName, retryErrors = false) => ({ format, run: RUN, retryErrors })

const record = (index: number, changes: Partial<OutputRecord> = {}): OutputRecord => ({
  key: keyOf(BigInt(index + 1), RUN),
  index,
  error: null,
  id: null,
  image: 'ä.png',
  // a line feed and quotes, which a torn CSV record may be cut in
  question: `Line one of ${index}\n"two", three`,
  copied: {},
  bbox: [1, 2, 3, 4],
  ...changes,
})

const failure = { error: { code: 'image_undecodable', message: 'It is damaged.', status: 422 } }

/** The rows that the output says it has. */
async function rowsOf(file: string, format: FormatName, retryErrors = false) {
  const output = await fileOutput(file, options(format, retryErrors))
  const claimed = [0, 1, 2, 3].filter(index => output.done.claim(index, BigInt(index + 1)))
  return { output, claimed }
}

async function write(file: string, format: FormatName, records: OutputRecord[]) {
  const output = await fileOutput(file, options(format))
  await Promise.all(records.map(each => output.write(each)))
  await output.close()
}

for (const format of ['jsonl', 'csv'] as const)
  t.test(`${format}: a file that ends at any byte is gone on with, and none of its whole rows is lost`, async t => {
    const dir = t.testdir({})
    const file = join(dir, 'out')
    await write(file, format, [record(0), record(1, failure)])
    const whole = readFileSync(file)
    const { header, write: line } = FORMATS[format]
    const ends = [record(0), record(1, failure)].map(each => Buffer.byteLength(line(each)))
    for (let size = 0; size <= whole.length; size++) {
      writeFileSync(file, whole.subarray(0, size))
      const { output, claimed } = await rowsOf(file, format)
      const complete = ends.filter(
        (_, i) => header.length + ends.slice(0, i + 1).reduce((sum, bytes) => sum + bytes) <= size,
      )
      if (claimed.length !== complete.length) t.fail(`${claimed.length} rows of ${complete.length} at byte ${size}`)
      for (const index of [0, 1].slice(claimed.length)) await output.write(record(index, index === 1 ? failure : {}))
      await output.close()
      if (!readFileSync(file).equals(whole)) t.fail(`another file after ${size} bytes`)
    }
    t.same(readdirSync(dir), ['out'], 'no lock is left')
  })

for (const format of ['jsonl', 'csv'] as const)
  t.test(`${format}: rows with errors are done, or are taken out to be asked again`, async t => {
    const dir = t.testdir({})
    const file = join(dir, 'out')
    await write(file, format, [record(0), record(1, failure), record(2), record(3, failure)])
    const first = await rowsOf(file, format)
    await first.output.close()
    t.match(first, { claimed: [0, 1, 2, 3], output: { before: { answered: 2, failed: 2 } } })
    const again = await rowsOf(file, format, true)
    t.match(again, { claimed: [0, 2], output: { before: { answered: 2, failed: 0 } } })
    await again.output.write(record(1))
    await again.output.close()
    const { header, write: line } = FORMATS[format]
    t.equal(readFileSync(file, 'utf8'), header + [record(0), record(2), record(1)].map(line).join(''))
    t.same(readdirSync(dir), ['out'])
  })

t.test('zeros that a crash of the machine left behind are dropped', async t => {
  const file = join(t.testdir({}), 'out')
  await write(file, 'jsonl', [record(0)])
  appendFileSync(file, Buffer.alloc(5000))
  const { output, claimed } = await rowsOf(file, 'jsonl')
  t.same(claimed, [0])
  await output.close()
  t.equal(readFileSync(file, 'utf8'), FORMATS.jsonl.write(record(0)))
})

t.test('files that are something else stay as they are', async t => {
  const file = join(t.testdir({}), 'out')
  for (const text of ['notes\n', 'notes', '{"id": 1}\n', 'key,index\r\n']) {
    writeFileSync(file, text)
    for (const format of ['jsonl', 'csv'] as const)
      await t.rejects(fileOutput(file, options(format)), {
        exitCode: 2,
        message: /record 1 is not one of .* another --out/,
      })
    t.equal(readFileSync(file, 'utf8'), text)
  }
  writeFileSync(file, '')
  await write(file, 'jsonl', [record(0)])
  appendFileSync(file, 'something else\n')
  await t.rejects(fileOutput(file, options('jsonl')), { exitCode: 2, message: /record 2/ })
  await t.rejects(fileOutput(file, options('csv')), { exitCode: 2, message: /record 1/ })
})

t.test('other options are refused', async t => {
  const file = join(t.testdir({}), 'out')
  await write(file, 'jsonl', [record(0)])
  await t.rejects(fileOutput(file, { ...options('jsonl'), run: 'ffffffff' }), {
    exitCode: 2,
    message: /another route, question or other options/,
  })
})

t.test('an output has one writer, whatever it is called', async t => {
  const dir = t.testdir({})
  const file = join(dir, 'out')
  const first = await fileOutput(file, options('jsonl'))
  symlinkSync(file, join(dir, 'link'))
  for (const name of [file, join(dir, 'link'), join(dir, '.', 'out')])
    await t.rejects(fileOutput(name, options('jsonl')), { exitCode: 1, message: /writes to .*out\. Wait for it/ })
  await first.close()
  await (await fileOutput(join(dir, 'link'), options('jsonl'))).close()
  await t.rejects(fileOutput(join(dir, 'absent', 'out'), options('jsonl')), { exitCode: 2, message: /folder of/ })
  t.notOk(existsSync(join(dir, 'absent')))
})

t.test('an output is a file', async t => {
  const dir = t.testdir({ folder: {} })
  await t.rejects(fileOutput(join(dir, 'folder'), options('csv')), { exitCode: 2, message: /is no file/ })
  t.same(readdirSync(dir), ['folder'])
})

t.test('a CSV file that has lost a quote is refused, and nothing of it is cut off', async t => {
  const file = join(t.testdir({}), 'out')
  const question = 'a, b'
  await write(
    file,
    'csv',
    [0, 1, 2].map(index => record(index, { question })),
  )
  const whole = readFileSync(file)
  // the one that closes the question of the second row, in the third record
  const at = whole.indexOf('a, b"', whole.indexOf('a, b"') + 1) + question.length
  const damaged = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)])
  writeFileSync(file, damaged)
  await t.rejects(fileOutput(file, options('csv')), {
    exitCode: 2,
    message: `A quote of record 3 of ${file} is not closed, and more records follow. Mend that, or give another --out.`,
  })
  t.ok(readFileSync(file).equals(damaged))
})
