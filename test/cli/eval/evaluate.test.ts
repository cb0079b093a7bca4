import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { evaluation } from '../../../src/cli/commands/eval.js'
import type { Report } from '../../../src/cli/eval/report.js'
import { testWorld } from '../../support/cli/world.js'
import { type Script, startScripted } from '../../support/fakes/service.js'

const PAGES = [
  { id: 'a', kind: 'shapes', image: 'images/a.png', question: 'A?', answers: ['42'], box: [25, 25, 75, 75] },
  { id: 'b', kind: 'shapes', image: 'images/b.png', question: 'B?', answers: ['7'], box: [10, 10, 20, 20] },
  { id: 'c', kind: 'receipts', image: 'images/b.png', question: 'C?', answers: ['12.50'], box: null },
  { id: 'd', kind: 'receipts', image: 'images/b.png', question: 'D?', answers: ['9'] },
]
const SCRIPTS: Record<string, Script> = {
  'A?': { answer: '42.', without: '41' },
  'B?': { answer: '7', without: '7', bbox: [0, 0, 100, 100], decision: 'fallback' },
  'C?': { answer: '12.5', without: '12.50' },
  'D?': { answer: '9', without: '1' },
}

async function setUp(t: Test, scripts = SCRIPTS, pages: unknown[] = PAGES, options = {}) {
  const manifest = pages.map(page => (typeof page === 'string' ? page : JSON.stringify(page))).join('\n')
  const dir = t.testdir({ 'manifest.jsonl': `${manifest}\n\n`, images: { 'a.png': 'pretend', 'b.png': 'pretended' } })
  const service = await startScripted(scripts, options)
  t.teardown(() => service.close())
  const [out, log]: [string[], string[]] = [[], []]
  const start = async () => ({ url: service.url, stop: async () => void log.push('stopped') })
  const run = (args: string[], env: Record<string, string> = {}) =>
    testWorld({
      env,
      cwd: dir,
      stdout: { write: text => out.push(String(text)) },
      stderr: { write: text => log.push(String(text)) },
    }).run([evaluation(start)], 'eval', ...args)
  const file = join(dir, 'report.json')
  const report = () => JSON.parse(readFileSync(file, 'utf8')) as Report
  return { dir, service, out, log, run, file, report }
}

t.test('scores a manifest', async t => {
  const { dir, service, out, log, run, file, report } = await setUp(t, SCRIPTS, PAGES, { together: 2 })
  const args = ['--data', dir, '--url', `${service.url}/`, '--out', file, '--target', 'mini', '--expand', '2']
  t.equal(await run([...args, '--concurrency', '2']), 0)
  const { overall, kinds, failures, stage_medians_ms, latency_ms, info, pages } = report()
  t.match(overall, { pages: 4, failed: 0, helped: 2, hurt: 1, size: (0.25 + 1 + 0.25 + 0.25) / 4, fallback: 0.25 })
  t.same(overall.with_crop, { exact: 0.75, vqa: 0.75, vqa_reference: 0.75, anls: 0.95 })
  t.equal(overall.without_crop.exact, 0.5)
  t.same(overall.box, { pages: 2, iou: (625 / 4375 + 0.01) / 2, recall: 0.625, fullRecall: 0.5 })
  t.match(kinds, {
    receipts: { pages: 2, box: null, with_crop: { exact: 0.5 } },
    shapes: { pages: 2, with_crop: { exact: 1 } },
  })
  t.same(failures, [])
  t.same(stage_medians_ms, { queue: 1, vision: 20, total: 40 })
  t.ok(latency_ms !== null && latency_ms.p50 > 0 && latency_ms.p50 <= latency_ms.p99)
  t.same(info, { version: '0.0.0' })
  t.match(pages, [
    { id: 'a', answer: '42.', answer_without_crop: '41', iou: 625 / 4375 },
    {},
    { iou: null },
    { id: 'd' },
  ])
  t.match(
    service.requests.find(({ question }) => question === 'A?'),
    {
      image: '7',
      compare: 'true',
      target: 'mini',
      expand: '2',
    },
  )
  t.equal(service.peak, 2)
  const text = out.join('')
  t.match(text, /\| all \| 4 \| 0 \| 75\.0 \| 50\.0 \| \+25\.0 \| 2 \| 1 \|/)
  t.match(text, /\| receipts \| 2 \| 0 \| 50\.0 \| 50\.0 \| \+0\.0 \|/)
  t.match(text, /\| shapes \| 2 \| 7\.6 \| 62\.5 \| 50\.0 \| 62\.5 \| 50\.0 \|/)
  t.match(text, /\| vision \| 20\.0 \|/)
  t.match(log.join(''), /4 of 4 pages/)
})

t.test('with the crop, without it and by the rule: accuracy, refusals, tokens', async t => {
  const scripts: Record<string, Script> = {
    'A?': { answer: '42', without: 'Sorry, it is too small.', promptTokens: 100 },
    'B?': { answer: '8', without: '7', promptTokens: 100, wouldSkip: 'low_confidence' },
    'C?': { answer: 'unanswerable', without: '12.50', promptTokens: 100, wouldSkip: 'whole_image' },
    'D?': { answer: '9', without: '1', promptTokens: 100 },
  }
  const { dir, service, out, run, file, report } = await setUp(t, scripts)
  t.equal(await run(['--data', dir, '--url', service.url, '--out', file]), 0)
  t.match(report().overall, {
    with_crop: { exact: 0.5 },
    without_crop: { exact: 0.5 },
    by_rule: { exact: 1 },
    refusals: { with_crop: 0.25, without_crop: 0.25, by_rule: 0 },
    prompt_tokens: { with_crop: 100, without_crop: 50, by_rule: 75 },
    skipped: 0.5,
  })
  t.match(out.join(''), /\| by the rule of zoom=auto, which skips 50\.0 % \| 100\.0 \| .* \| 0\.0 \| 75 \|/)
})

t.test('a refusal in its own field is counted as one, and is never right', async t => {
  // the official normalisation takes articles away, so that nothing would be the right answer to this one
  const pages = [{ id: 'a', image: 'images/a.png', question: 'A?', answers: ['a'] }]
  const scripts = { 'A?': { answer: '', refusal: 'I cannot help with that.', without: 'a' } }
  const { dir, service, run, file, report } = await setUp(t, scripts, pages)
  t.equal(await run(['--data', dir, '--url', service.url, '--out', file]), 0)
  const nothing = { exact: 0, vqa: 0, vqa_reference: 0, anls: 0 }
  t.match(report().overall, { with_crop: nothing, without_crop: { exact: 1 }, failed: 0, hurt: 1 })
  t.match(report().overall.refusals, { with_crop: 1, without_crop: 0, by_rule: 1 })
  t.match(report().pages, [
    { answer: '', refusal: 'I cannot help with that.', refusal_without_crop: null, with_crop: nothing },
  ])
})

t.test('compared with an earlier report: the same, then another answer', async t => {
  const { dir, service, out, run, file } = await setUp(t, SCRIPTS)
  const args = ['--data', dir, '--url', service.url]
  t.equal(await run([...args, '--out', file]), 0)
  t.equal(await run([...args, '--compare-with', file]), 0)
  t.match(out.join(''), /Of 4 pages that .* has too, 0 have another box and 0 another answer\./)
  const before = JSON.parse(readFileSync(file, 'utf8'))
  before.pages[1].answer = 'something else'
  writeFileSync(file, JSON.stringify(before))
  t.equal(await run([...args, '--compare-with', file]), 1)
  t.match(out.join(''), /0 have another box and 1 another answer \(b\)/)
  await t.rejects(run([...args, '--compare-with', join(dir, 'absent.json')]), { name: 'CliError', exitCode: 2 })
})

t.test('failed requests are counted as wrong, listed, and fail the run', async t => {
  const scripts = {
    ...SCRIPTS,
    'A?': { status: 502 },
    'B?': { text: '{"bbox": [1]}' },
    'C?': { hangUp: true },
  }
  const { dir, service, out, run, file, report } = await setUp(t, scripts)
  t.equal(await run(['--data', dir, '--url', service.url, '--out', file]), 1)
  const { overall, failures } = report()
  t.match(overall, {
    pages: 4,
    failed: 3,
    with_crop: { exact: 0.25 },
    without_crop: { exact: 0 },
    box: null,
    fallback: 0,
  })
  t.match(failures, [
    { id: 'a', status: 502, error: /target_failed/ },
    { id: 'b', status: 200, error: /not a reply/ },
    { id: 'c', status: null, error: /fetch failed/ },
  ])
  t.match(out.join(''), /3 requests failed:\n- a: 502: .*target_failed/)
  t.equal(service.peak, 1)
})

t.test('nothing but failures still makes a report', async t => {
  const { dir, service, out, run, file, report } = await setUp(t, { 'A?': { status: 503 } }, PAGES.slice(0, 1))
  t.equal(await run(['--data', dir, '--url', service.url, '--out', file]), 1)
  t.match(report().overall, { size: null, fallback: null, box: null, with_crop: { exact: 0 } })
  t.match(out.join(''), /whole request, two answers \| - \| - \| - \|/)
})

t.test('--limit; a service of its own; a key', async t => {
  const { dir, service, log, run } = await setUp(t, SCRIPTS, PAGES, { apiKey: 'secret' })
  t.equal(await run(['--data', dir, '--limit', '2'], { API_KEY: 'secret' }), 0)
  t.equal(service.requests.length, 2)
  t.equal(log.at(-1), 'stopped')
  await t.rejects(run(['--data', dir]), { exitCode: 4, message: /set API_KEY/ })
  t.equal(log.at(-1), 'stopped', 'stopped after a failure too')
})

t.test('wrong arguments and wrong data name the remedy', async t => {
  const { dir, log, run } = await setUp(t)
  await t.rejects(run([]), { exitCode: 2, message: /cropvlm eval --data DIR/ })
  await t.rejects(run(['--data', dir, '--limit', '0']), { exitCode: 2, message: /--limit is "0"/ })
  t.equal(await run(['--data', dir, '--boxes']), 2)
  t.match(log.join(''), /unknown option '--boxes'/)
  await t.rejects(run(['--data', join(dir, 'images')]), { exitCode: 2, message: /names the folder with manifest/ })
  await t.rejects(run(['--data', dir, '--url', 'http://127.0.0.1:9']), {
    exitCode: 1,
    message: /No service answers at/,
  })
  t.equal(await run(['--help']), 0)
  for (const [page, message] of [
    ['{', /manifest\.jsonl:1: is not JSON/],
    [{ ...PAGES[0], answers: [] }, /"answers" must be/],
    [{ ...PAGES[0], question: '' }, /"question" must be a text/],
    [{ ...PAGES[0], box: [50, 0, 50, 10] }, /"box" must be/],
    [{ ...PAGES[0], box: [0, 0, 110, 10] }, /"box" must be/],
  ] as const) {
    const bad = await setUp(t, SCRIPTS, [page])
    await t.rejects(bad.run(['--data', bad.dir]), { exitCode: 2, message })
  }
})
