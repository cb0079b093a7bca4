import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t from 'tap'
import { openInput } from '../../../../src/cli/batch/input/open-input.js'
import type { Row } from '../../../../src/cli/batch/input/row.js'

const options = { images: null, question: null, optionNames: [], crops: null }

function worldOf(cwd: string, stdin: Readable = Readable.from([])) {
  const output = { write: () => true }
  return { env: {}, stdin, stdout: output, stderr: output, cwd, signal: new AbortController().signal }
}

async function all(rows: AsyncGenerator<Row>): Promise<Row[]> {
  const found: Row[] = []
  for await (const row of rows) found.push(row)
  return found
}

const never = new AbortController().signal

t.test('JSONL: rows with their place, their share of the file, and a hash of the whole row', async t => {
  const lines = [
    '{"image":"a.png","question":"A?"}',
    '',
    'broken',
    '{"image":"a.png","question":"A?"}\r',
    '{"image":"b"',
  ]
  const cwd = t.testdir({ sub: { 'rows.jsonl': `\uFEFF${lines.join('\n')}` } })
  const rows = await all(await openInput('sub/rows.jsonl', options, worldOf(cwd), never))
  t.match(rows, [
    { index: 0, content: { image: { path: join(cwd, 'sub/a.png') } } },
    { index: 1, content: { code: 'invalid_row' } },
    { index: 2, content: { question: 'A?' } },
    { index: 3, share: 1, content: { code: 'invalid_row' } },
  ])
  t.equal(rows[0]?.hash, rows[2]?.hash, 'equal rows')
  t.equal(new Set(rows.map(({ hash }) => hash)).size, 3)
  const shares = rows.map(({ share }) => share)
  t.same(shares, [...shares].sort())
  const elsewhere = await all(await openInput('sub/rows.jsonl', { ...options, images: 'img' }, worldOf(cwd), never))
  t.match(elsewhere[0], { content: { image: { path: join(cwd, 'img/a.png') } } })
})

t.test('JSONL on stdin: paths begin where the command runs', async t => {
  const stdin = Readable.from(['{"image":"a.png","que', 'stion":"A?"}\n'].map(text => Buffer.from(text)))
  t.match(await all(await openInput('-', options, worldOf('/work', stdin), never)), [
    { index: 0, share: null, content: { image: { path: '/work/a.png' }, question: 'A?' } },
  ])
})

t.test('a folder: its images in the order of their names, without hidden ones and the crops', async t => {
  const cwd = t.testdir({
    pages: {
      'b.PNG': '',
      'a.jpg': '',
      'notes.txt': '',
      '.hidden.png': '',
      z: { 'c.webp': '', 'd.jpeg': '' },
      '.cache': { 'e.png': '' },
      crops: { 'f.png': '' },
    },
    'outside.png': '',
  })
  symlinkSync(join(cwd, 'outside.png'), join(cwd, 'pages/link.png'))
  symlinkSync(join(cwd, 'pages'), join(cwd, 'pages/z/loop.png'))
  const asked = { ...options, question: 'Total?', crops: 'pages/crops' }
  const rows = await all(await openInput('pages', asked, worldOf(cwd), never))
  const names = ['a.jpg', 'b.PNG', 'link.png', 'z/c.webp', 'z/d.jpeg']
  t.match(
    rows,
    names.map((id, index) => ({
      index,
      share: (index + 1) / 5,
      content: { id, imageName: id, image: { path: join(cwd, 'pages', id) }, question: 'Total?' },
    })),
  )
  t.equal(rows.length, 5)
})

t.test('what is no input is told', async t => {
  const world = worldOf(t.testdir({ pages: {}, 'a.png': '' }))
  await t.rejects(openInput('absent', options, world, never), {
    exitCode: 3,
    message: /^absent is not there: INPUT is/,
  })
  await t.rejects(openInput('pages', options, world, never), { exitCode: 2, message: /give the question/ })
  await t.rejects(openInput('a.png', options, world, never), { exitCode: 2, message: /cropvlm crop a\.png/ })
})

t.test('a stop ends the reading of a stream that has not ended', async t => {
  const stop = new AbortController()
  const stdin = new Readable({ read() {} })
  stdin.push('{"image":"a.png","question":"A?"}\n')
  const rows = await openInput('-', options, worldOf('/', stdin), stop.signal)
  t.match(await rows.next(), { value: { index: 0 } })
  const next = rows.next()
  stop.abort()
  t.match(await next, { done: true })
})
