import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'
import t, { type Test } from 'tap'
import { report } from '../../../src/cli/commands/report.js'
import { makeReport } from '../../../src/cli/eval/report.js'
import type { Outcome } from '../../../src/evaluation/outcome.js'
import { runCommandLine } from '../../support/cli/run-command.js'
import { drawnPage } from '../../support/images/drawn-page.js'

t.setTimeout(120_000)

const chromiumPath = process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim()
const skip = chromiumPath ? false : 'there is no chromium (apt-get install chromium)'

const ATTACK = `<script>document.title = "attacked"</script><img src=x onerror="document.title='attacked'">"'`
const ABOUT = {
  data: '',
  url: '',
  options: { target: 'mini' },
  concurrency: 1,
  info: { models: [{ id: 'cropvlm-mini' }] },
}

/** An evaluation of pages, each with its answers with and without the crop. */
function setUp(t: Test, rows: { kind: string; question: string; withCrop: string; without: string }[]) {
  const cwd = t.testdir({ images: {}, 'manifest.jsonl': '' })
  const pages = rows.map(({ kind, question }, i) => {
    writeFileSync(join(cwd, `images/${i}.png`), drawnPage(i))
    return {
      id: `p${i}`,
      kind,
      image: `images/${i}.png`,
      question,
      answers: ['7', ATTACK],
      box: [10, 10, 20, 20] as const,
    }
  })
  writeFileSync(join(cwd, 'manifest.jsonl'), pages.map(page => `${JSON.stringify(page)}\n`).join(''))
  const outcomes: Outcome[] = rows.map(({ withCrop, without }, i) => ({
    page: pages[i] as Outcome['page'],
    reply: {
      bbox: [10, 10, 30, 20],
      decision: 'zoomed',
      reason: null,
      confidence: 0.75,
      would_skip: null,
      answer: withCrop,
      target: { usage: null },
      compare: { answer: without, usage: null },
      timings_ms: {},
    },
    latencyMs: 1,
  }))
  writeFileSync(join(cwd, 'eval.json'), JSON.stringify(makeReport(outcomes, { ...ABOUT, data: cwd })))
  const run = (...args: string[]) => runCommandLine(report, args, { cwd })
  const page = () => readFileSync(join(cwd, 'report.html'), 'utf8')
  return { cwd, run, page }
}

const ROWS = [
  { kind: 'receipt', question: 'Helped?', withCrop: '7', without: '1' },
  { kind: 'receipt', question: 'Harmed?', withCrop: '1', without: '7' },
  { kind: 'shapes', question: ATTACK, withCrop: ATTACK, without: '7' },
  { kind: 'shapes', question: 'Wrong?', withCrop: '8', without: '9' },
]

t.test('a page with everything in it, whose texts are escaped', async t => {
  const { run, page } = setUp(t, ROWS)
  t.match(await run('eval.json'), { code: 0, stderr: /^report\.html: 4 of 4 pages, 0\.\d MB\.\n$/ })
  const text = page()
  t.notMatch(text, '<script>document')
  t.notMatch(text, '<img src=x')
  t.equal(text.match(/<script>/g)?.length, 1)
  t.equal(text.match(/src="data:image\/jpeg;base64,/g)?.length, 8, 'an image and a crop each')
  t.notMatch(text, /(src|href)="(?!data:|#)/)
  t.match(
    text,
    /<tr><th scope="row">receipt<\/th><td>2<\/td><td>50\.0 %<\/td><td>50\.0 %<\/td><td>\+0\.0 %<\/td><td>1<\/td><td>1<\/td>/,
  )
  t.match(text, /<tr><th scope="row">all<\/th><td>4<\/td><td>50\.0 %<\/td>.*<td>50\.0 %<\/td><\/tr>/)
  const order = ['helped', 'harmed', 'wrong', 'right'].map(name => text.indexOf(`<section id="${name}">`))
  t.same(
    order,
    [...order].sort((a, b) => a - b),
  )
  t.match(text, /class="box found" style="left:10%;top:10%;width:20%;height:10%"/)
  t.match(text, 'cropvlm-mini')
})

t.test('in a browser: filters, no attack, nothing fetched', { skip }, async t => {
  const { cwd, run } = setUp(t, ROWS)
  await run('eval.json')
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
  const [asked, errors]: [string[], string[]] = [[], []]
  page.on('request', request => asked.push(request.url().slice(0, 5)))
  page.on('console', message => errors.push(message.text()))
  page.on('pageerror', error => errors.push(String(error)))
  await page.goto(String(pathToFileURL(join(cwd, 'report.html'))))
  const shown = () => page.locator('.card:visible h3').allTextContents()
  t.same(await shown(), ['Helped?', 'Harmed?', 'Wrong?', ATTACK])
  t.equal(await page.title(), 'eval.json: with the crop and without it')
  await page.selectOption('[name=kind]', 'receipt')
  t.same(await shown(), ['Helped?', 'Harmed?'])
  t.equal(await page.locator('output').textContent(), '2 of 4')
  await page.selectOption('[name=section]', 'harmed')
  t.same(await shown(), ['Harmed?'])
  t.equal(await page.locator('output').textContent(), '1 of 4')
  await page.selectOption('[name=kind]', '')
  await page.selectOption('[name=section]', '')
  await page.fill('[name=words]', 'wrong?')
  t.same(await shown(), ['Wrong?'])
  t.ok(await page.evaluate('document.documentElement.scrollWidth <= 360'), 'fits a phone')
  const sizes = await page.evaluate<number[]>('[...document.images].map(image => image.naturalWidth)')
  t.ok(
    sizes.every(size => size > 0),
    'every picture is drawn',
  )
  t.same(
    [...new Set(asked)].filter(scheme => scheme !== 'data:'),
    ['file:'],
  )
  t.same(errors, [])
})

t.test('a large evaluation is bounded, and says what it leaves out', async t => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    ...(ROWS[i === 0 ? 0 : 3] as (typeof ROWS)[0]),
    question: `Q${i}`,
  }))
  const { cwd, run, page } = setUp(t, rows)
  t.match(await run('eval.json', '--max-rows', '10'), { stderr: /10 of 60 pages/ })
  t.match(page(), '50 of 60 pages are left out below; the table counts them.')
  t.match(page(), /The crop helped <small>1<\/small>/)
  t.match(page(), /Both wrong <small>9 of 59<\/small>/)
  t.equal(page().match(/<article/g)?.length, 10)
  t.ok(statSync(join(cwd, 'report.html')).size < 10 * 50_000)
})

t.test('pictures that are not there', async t => {
  const { cwd, run, page } = setUp(t, ROWS)
  writeFileSync(join(cwd, 'images/0.png'), 'no picture')
  t.match(await run('eval.json'), { code: 0, stderr: /1 have no picture: their files cannot be read\. --data says/ })
  t.match(page(), /No picture: /)
  const moved = JSON.parse(readFileSync(join(cwd, 'eval.json'), 'utf8'))
  writeFileSync(join(cwd, 'eval.json'), JSON.stringify({ ...moved, data: '/nowhere' }))
  t.match(await run('eval.json'), { code: 0 })
  t.match(page(), /<p class="note">No pictures: .*--data names the folder with manifest\.jsonl/)
  t.match(await run('eval.json', '--data', '.'), { code: 0 })
  t.match(page(), 'data:image/jpeg')
  await t.rejects(run('eval.json', '--data', 'images'), { exitCode: 2, message: /manifest\.jsonl cannot be read/ })
})

t.test('a batch, with and without right answers', async t => {
  const { cwd, run, page } = setUp(t, ROWS)
  const found = {
    key: '0-0',
    error: null,
    bbox: [0, 0, 50, 50],
    decision: 'zoomed',
    confidence: 0.5,
    image: 'images/1.png',
  }
  const compare = { answer: '8', agrees: false, refusal: null }
  const rows = [
    { ...found, index: 0, id: 'a', question: 'Helped?', answers: ['7'], answer: '7', refusal: null, compare },
    { ...found, index: 1, id: null, question: 'Differs?', answer: '7', refusal: null, compare },
    { ...found, index: 2, id: 'c', question: 'Box?', image: 'https://example.org/a.png' },
    {
      key: '0-1',
      index: 3,
      id: 'd',
      error: { code: 'file_not_found', message: 'ENOENT' },
      image: 'x.png',
      question: 'F?',
    },
  ]
  writeFileSync(join(cwd, 'out.jsonl'), rows.map(row => `${JSON.stringify(row)}\n`).join(''))
  t.match(await run('out.jsonl'), { code: 0, stderr: /4 of 4 pages/ })
  for (const name of ['helped', 'differ', 'boxes', 'failed']) t.match(page(), `<section id="${name}">`, name)
  t.match(page(), 'file_not_found: ENOENT')
  t.match(page(), 'No picture: the data names no file')
  t.equal(page().match(/data:image\/jpeg/g)?.length, 4)
})

t.test('what is no evaluation is told, and nothing is left behind', async t => {
  const { cwd, run } = setUp(t, ROWS)
  writeFileSync(join(cwd, 'notes.txt'), 'notes')
  writeFileSync(join(cwd, 'empty.jsonl'), '\n')
  const before = readdirSync(cwd)
  await t.rejects(run('absent.json'), { exitCode: 3, message: /absent\.json cannot be read/ })
  await t.rejects(run('notes.txt'), { exitCode: 2, message: /notes\.txt:1 is not JSON; FILE is what/ })
  await t.rejects(run('empty.jsonl'), { exitCode: 2, message: /has no pages/ })
  await t.rejects(run('eval.json', '--out', 'eval.json'), { exitCode: 2, message: /give another name/ })
  await t.rejects(run('eval.json', '--out', 'absent/report.html'), { exitCode: 1, message: /cannot be written/ })
  await t.rejects(run('eval.json', '--max-rows', 'all'), { exitCode: 2, message: /--max-rows is "all"/ })
  t.same(readdirSync(cwd), before)
})
