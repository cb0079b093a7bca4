import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { batch } from '../../../src/cli/commands/batch.js'
import { type CropServer, startCropServer } from '../../support/cli/crop-server.js'
import { runCommandLine } from '../../support/cli/run-command.js'

t.setTimeout(120_000)

type Extra = Partial<Parameters<typeof runCommandLine>[2]>

function setUp(t: Test, service: CropServer, rows: unknown[], files: Record<string, unknown> = {}) {
  const lines = (values: unknown[]) =>
    values.map(row => `${typeof row === 'string' ? row : JSON.stringify(row)}\n`).join('')
  const cwd = t.testdir({ 'rows.jsonl': lines(rows), 'a.png': 'picture a', 'b.png': 'picture b', ...files })
  const run = (args: string[], extra: Extra = {}) =>
    runCommandLine(batch, [...args, '--url', service.url], { cwd, ...extra })
  const output = (name = 'out.jsonl') =>
    readFileSync(join(cwd, name), 'utf8')
      .split('\n')
      .filter(line => line !== '')
      .map(line => JSON.parse(line) as Record<string, unknown>)
  const input = (values: unknown[]) => writeFileSync(join(cwd, 'rows.jsonl'), lines(values))
  return { cwd, run, output, input }
}

const byIndex = (rows: Record<string, unknown>[]) => rows.sort((a, b) => Number(a.index) - Number(b.index))

t.test('each row is asked with its options, and has one row of the output', async t => {
  const service = await startCropServer(t)
  const rows = [
    { id: 'r0', image: 'a.png', question: 'How much?', kind: 'receipt', answers: ['7'] },
    { image: 'data:image/png;base64,AAAA', expand: 3 },
    { id: 'r2', image: 'https://example.org/a.png', question: 'Who is it?', decision: 'mine' },
  ]
  const { run, output } = setUp(t, service, rows)
  const args = ['rows.jsonl', 'What?', '--out', 'out.jsonl', '--expand', '2', '--zoom', 'auto', '--resolution', '1024']
  const { code, stdout, stderr } = await run(args)
  t.match({ code, stdout, stderr }, { code: 0, stdout: '', stderr: '3 rows written to out.jsonl.\n' })
  t.match(byIndex(output()), [
    { id: 'r0', image: 'a.png', error: null, bbox: [0, 0, 50, 10], kind: 'receipt', answers: ['7'], image_width: 100 },
    { id: null, image: null, question: 'What?', bbox: [0, 0, 50, 6], expand: 3, latency_ms: Number },
    { id: 'r2', image: 'https://example.org/a.png', decision: 'zoomed', input_decision: 'mine', model: 'scripted' },
  ])
  const asked = (question: string) => service.asked.find(({ fields }) => fields.question === question)
  const all = { zoom: 'auto', path: undefined }
  t.match(asked('How much?'), { path: '/crop', image: Buffer.from('picture a'), fields: { ...all, expand: '2' } })
  t.match(asked('What?'), { fields: { ...all, expand: 3, resolution: 1024, image: 'data:image/png;base64,AAAA' } })
})

t.test('errors are rows; the run goes on, fails in the end, and asks them again when it is told to', async t => {
  let broken = true
  const service = await startCropServer(t, ({ fields }) => {
    if (fields.question !== 'Bad?' || !broken) return undefined
    return { status: 422, code: 'image_undecodable' }
  })
  const rows = [
    { image: 'absent.png', question: 'Absent?' },
    { image: 'a.png', question: 'Bad?' },
    'no JSON',
    { image: 'large.png', question: 'Large?' },
    { image: 'b.png', question: 'Good?' },
  ]
  const { cwd, run, output } = setUp(t, service, rows, { 'large.png': 'x'.repeat(20_001) })
  const args = ['rows.jsonl', '--out', 'out.jsonl']
  const first = await run(args)
  t.equal(first.code, 1)
  t.match(
    first.stderr,
    /^5 rows written to out\.jsonl\.\n4 rows have an error \(now .*1 image_undecodable.*\)\. --retry-errors/,
  )
  t.match(byIndex(output()), [
    { error: { code: 'file_not_found', message: /absent\.png/, status: null } },
    { error: { code: 'image_undecodable', message: 'It is image_undecodable.', status: 422 }, question: 'Bad?' },
    { error: { code: 'invalid_row' }, id: null },
    { error: { code: 'body_too_large', message: /has 20001 bytes; the service takes 20000/ } },
    { error: null },
  ])
  const asked = service.asked.length
  t.match(await run(args), {
    code: 1,
    stderr:
      '0 rows written to out.jsonl, 5 were there already.\n4 rows have an error. --retry-errors asks them again.\n',
  })
  t.equal(service.asked.length, asked, 'nothing was asked again')
  broken = false
  writeFileSync(join(cwd, 'absent.png'), 'here now')
  t.match(await run([...args, '--retry-errors']), {
    code: 1,
    stderr: /^4 rows written to out\.jsonl, 1 were there already\.\n2 rows/,
  })
  t.same(
    byIndex(output()).map(({ error }) => (error as { code: string } | null)?.code ?? null),
    [null, null, 'invalid_row', 'body_too_large', null],
  )
})

t.test('a row whose image has no end is a row with an error', { skip: process.platform !== 'linux' }, async t => {
  const service = await startCropServer(t)
  const rows = [
    { image: 'pipe', question: 'A?' },
    { image: '/dev/zero', question: 'B?' },
    { image: 'a.png', question: 'C?' },
  ]
  const { cwd, run, output } = setUp(t, service, rows)
  execFileSync('mkfifo', [join(cwd, 'pipe')])
  t.equal((await run(['rows.jsonl', '--out', 'out.jsonl'])).code, 1)
  const message = /(pipe|zero) is a pipe, a device or a socket, and no file; name an image file\./
  t.match(byIndex(output()), [
    { error: { code: 'file_unreadable', message } },
    { error: { code: 'file_unreadable', message } },
    { error: null },
  ])
})

t.test('answers, with what the target said and the box of one that failed', async t => {
  const service = await startCropServer(t, ({ fields, before }) => {
    if (fields.question !== 'Down?') return undefined
    // once more than it is repeated
    return before < 3 ? { status: 502, code: 'target_failed', details: { crop: CROP } } : undefined
  })
  const CROP = { bbox: [1, 2, 3, 4], bbox_pixels: [1, 2, 3, 4], image: { width: 9, height: 8 }, model: { id: 'm' } }
  const { run, output } = setUp(t, service, [
    { image: 'a.png', question: 'Up?' },
    { image: 'a.png', question: 'Down?' },
  ])
  const args = ['--route', 'answer', '--compare', '--target', 'mini', '--max-tokens', '9', '--mode', 'crop']
  t.match(await run(['rows.jsonl', '--out', 'out.jsonl', ...args]), { code: 1 })
  t.match(byIndex(output()), [
    { error: null, answer: '7', compare: { answer: '8', agrees: false }, target: 'mini', usage: { prompt_tokens: 9 } },
    { error: { code: 'target_failed', status: 502 }, bbox: [1, 2, 3, 4], image_width: 9, model: 'm' },
  ])
  t.match(service.asked[0], {
    path: '/answer',
    fields: { compare: 'true', target: 'mini', max_tokens: '9', mode: 'crop' },
  })
})

t.test('a service without room, or for a moment gone, costs no row', async t => {
  const service = await startCropServer(t, ({ fields, before }) => {
    const number = Number(fields.question)
    if (before > 0 || number % 3 === 0) return undefined
    return number % 3 === 1 ? { status: 429, code: 'queue_full', retryAfter: 0 } : 'hang up'
  })
  const rows = Array.from({ length: 12 }, (_, i) => ({ image: 'a.png', question: String(i) }))
  const { run, output } = setUp(t, service, rows)
  t.match(await run(['rows.jsonl', '--out', 'out.jsonl', '--concurrency', '4']), { code: 0 })
  t.same(
    byIndex(output()).map(({ question, error }) => [question, error]),
    rows.map(({ question }) => [question, null]),
  )
  t.equal(service.asked.length, 20)
  t.ok(service.peak <= 4)
})

t.test('a service that stays away ends the run, which goes on once it is back', async t => {
  let service = await startCropServer(t, async ({ fields }) => {
    if (fields.question === '3') await service.close()
    return undefined
  })
  const rows = Array.from({ length: 6 }, (_, i) => ({ image: 'a.png', question: String(i) }))
  const { run, output } = setUp(t, service, rows)
  const args = ['rows.jsonl', '--out', 'out.jsonl', '--concurrency', '1', '--patience', '1']
  await t.rejects(run(args), {
    exitCode: 1,
    message: /^No service answers at http.*Start the service again\. What is done is in out\.jsonl; the same command/,
  })
  t.equal(output().length, 3)
  await t.rejects(run(args), { exitCode: 1, message: /Start one with `cropvlm serve`, or leave --url out/ })
  const { port } = new URL(service.url)
  service = await startCropServer(t, undefined, { port: Number(port) })
  t.match(await run(args), { code: 0, stderr: '3 rows written to out.jsonl, 3 were there already.\n' })
  t.equal(service.asked.length, 3)
  t.equal(new Set(output().map(({ key }) => key)).size, 6)
})

t.test('a wrong key is told', async t => {
  const service = await startCropServer(t, undefined, { apiKey: 'right' })
  const { run } = setUp(t, service, [{ image: 'a.png', question: 'A?' }])
  await t.rejects(run(['rows.jsonl']), { exitCode: 4, message: /asks for a key; set API_KEY/ })
  t.match(await run(['rows.jsonl'], { env: { API_KEY: 'right' } }), { code: 0, stdout: /^\{"key":/ })
})

t.test('equal rows are rows of their own, and a changed input is noticed', async t => {
  const service = await startCropServer(t)
  const row = { id: 'same', image: 'a.png', question: 'A?' }
  const { run, output, input } = setUp(t, service, [row, row, { ...row, question: 'B?' }])
  const args = ['rows.jsonl', '--out', 'out.jsonl']
  await run(args)
  t.equal(output().length, 3)
  t.equal(service.asked.length, 3)
  input([{ ...row, question: 'New?' }, row, row, { ...row, question: 'C?' }])
  const { stderr } = await run(args)
  t.equal(
    stderr,
    '2 rows written to out.jsonl, 2 were there already.\nThe input was changed since the earlier run, from its row 0 on.\n' +
      '1 rows of out.jsonl belong to no row of the input now.\n',
  )
  t.same(
    output()
      .map(({ question }) => question)
      .sort(),
    ['A?', 'A?', 'B?', 'C?', 'New?'],
  )
})

t.test('crops are files that the rows name', async t => {
  const service = await startCropServer(t)
  const { cwd, run, output } = setUp(t, service, [
    { id: '../a/b c.PNG', image: 'a.png', question: 'A?' },
    { image: 'b.png', question: 'B?' },
  ])
  const args = ['rows.jsonl', '--out', 'out.jsonl', '--crops', 'crops']
  await run(args)
  const rows = byIndex(output())
  t.match(rows[0]?.crop, /^crops\/a-b-c-[0-9a-f]{8}\.jpg$/)
  t.match(rows[1]?.crop, /^crops\/1-[0-9a-f]{8}\.jpg$/)
  for (const { crop } of rows) t.equal(readFileSync(join(cwd, String(crop)), 'utf8'), 'crop')
  t.equal(readdirSync(join(cwd, 'crops')).length, 2)
  await t.rejects(run(args.slice(0, 3)), { exitCode: 2, message: /other options/ })
})

t.test('a folder with one question, as CSV; stdin and stdout', async t => {
  const service = await startCropServer(t)
  const { cwd, run } = setUp(t, service, [], { pages: { 'x.png': 'x', 'y.png': 'y' } })
  t.match(await run(['pages', 'Total?', '--out', 'out.csv']), { code: 0 })
  const csv = readFileSync(join(cwd, 'out.csv'), 'utf8')
  t.match(csv, /^key,index,error,.*\r\n[0-9a-f-]{25},\d,,,(x|y)\.png,(x|y)\.png,Total\?,0,0,50,7,.*\r\n.*\r\n$/)
  t.match(await run(['pages', 'Total?', '--out', 'out.csv']), {
    stderr: '0 rows written to out.csv, 2 were there already.\n',
  })
  const stdin = '{"image":"a.png","question":"A?"}\n'
  const piped = await run(['-', '--format', 'csv'], { stdin })
  t.match(piped, { code: 0, stdout: /^key,index,.*\r\n[0-9a-f-]{25},0,/, stderr: '1 rows written to stdout.\n' })
})

t.test('a stop finishes what is in flight, and says how to go on', async t => {
  const stop = new AbortController()
  const service = await startCropServer(t, ({ fields }) => {
    if (fields.question === '4') stop.abort()
    return fields.question === '5' ? { status: 503, code: 'not_ready', retryAfter: 50 } : undefined
  })
  const rows = Array.from({ length: 100 }, (_, i) => ({ image: 'a.png', question: String(i) }))
  const { run, output } = setUp(t, service, rows)
  const args = ['rows.jsonl', '--out', 'out.jsonl', '--concurrency', '2']
  const { code, stderr } = await run(args, { signal: stop.signal })
  t.equal(code, 130)
  t.match(stderr, /^\d+ rows written to out\.jsonl\.\nStopped\. The same command goes on from here\.\n$/)
  const done = output().map(({ question }) => question)
  t.ok(done.includes('4') && done.length < 10)
  t.equal(new Set(done).size, done.length)
  const endless = new Readable({ read() {} })
  endless.push('{"image":"a.png","question":"4"}\n')
  const later = new AbortController()
  const piped = run(['-'], { stdin: endless, signal: later.signal })
  while (service.asked.at(-1)?.fields.question !== '4') await new Promise(setImmediate)
  later.abort()
  t.match(await piped, { code: 130, stderr: /Stopped\.\n$/ })
})

t.test('wrong arguments', async t => {
  const service = await startCropServer(t)
  const { cwd, run } = setUp(t, service, [{ image: 'a.png', question: 'A?' }])
  const wrong = (args: string[], message: RegExp, exitCode = 2) =>
    t.rejects(run(args), { exitCode, message }, args.join(' '))
  await wrong(['rows.jsonl', '--compare'], /^--compare needs --route answer\.$/)
  await wrong(['rows.jsonl', '--max-tokens', '9'], /^--max-tokens needs --route answer\.$/)
  await wrong(['rows.jsonl', '--expand', 'much'], /^--expand is "much", but must be a number\.$/)
  await wrong(['rows.jsonl', '--concurrency', '0'], /^--concurrency is "0"/)
  await wrong(['rows.jsonl', '--retry-errors'], /needs --out/)
  await wrong(['absent.jsonl', '--out', 'out.jsonl'], /absent\.jsonl is not there/, 3)
  await wrong(['rows.jsonl', '--out', 'rows.jsonl'], /record 1 is not one of/)
  await wrong(['rows.jsonl', '--crops', 'a.png', '--out', 'out.jsonl'], /--crops/)
  t.notOk(readdirSync(cwd).some(name => name.endsWith('.lock')))
  t.ok(existsSync(join(cwd, 'rows.jsonl')))
  t.equal(service.asked.length, 0)
})
