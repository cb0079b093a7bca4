import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { type Reply, runSnippet } from './run-snippet.js'
import { answers, ask, checkPlace, chooseExample, namedBox, snippet } from './steps.js'

const EXAMPLE = new URL('../../../docs/example.png', import.meta.url)

interface Told extends Reply {
  bbox_pixels: [number, number, number, number]
  confidence: number
  timings_ms: Record<string, number>
  request_id: string
}

/** An example, what is shown of it, a second question, and the code to copy. */
export async function asked(t: Test, browser: Browser, { open }: Services): Promise<void> {
  const { page, outside, wrong } = await openPage(t, browser, open, {
    permissions: ['clipboard-read', 'clipboard-write'],
  })
  await page.getByText('Boxes by cropvlm-mini (onnx)').waitFor()
  t.equal(await page.locator('#crop').isVisible(), false, 'nothing is shown before it was asked')
  const [response] = await Promise.all([page.waitForResponse(/\/answer$/), chooseExample(page)])
  const reply = (await response.json()) as Told

  await t.test('the answer, the box and the crop are those of the reply', async t => {
    t.equal(await page.inputValue('#question'), 'What is the total?')
    t.same(await answers(page), { 'With the crop': reply.answer, 'Without the crop': reply.compare.answer })
    t.match(reply.answer, /31\.70/)
    t.same(await namedBox(page), reply.bbox)
    await checkPlace(t, page, '.box.main', reply.bbox)
    t.match(await page.locator('.verdict').textContent(), /Zoomed .*whole picture and this crop/)
    const shown = await page.locator('dt:text-is("Confidence") + dd').textContent()
    t.equal(shown, `${Math.round(100 * reply.confidence)} %`)
    t.match(await page.locator('.request').textContent(), reply.request_id)
    t.equal(await page.locator('#status').textContent(), `The answer is: ${reply.answer}`, 'it is read out')
    const [x1, y1, x2, y2] = reply.bbox_pixels
    const size = await page.locator('#crop-picture').boundingBox()
    t.match(size, { width: x2 - x1, height: y2 - y1 }, 'at full size')
    t.equal(await page.locator('.warning').count(), 2, 'the models know synthetic pages only')
  })

  await t.test('where the time went', async t => {
    const rows = await page
      .locator('.timings tr')
      .evaluateAll(all => all.map(row => [...row.children].map(cell => cell.textContent)))
    const { total, target } = reply.timings_ms
    const told = (ms = 0) =>
      ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
    t.match(rows.at(-1), ['Total', '', told(total)])
    t.match(
      rows.find(([name]) => name === 'Target'),
      ['Target', '', told(target)],
    )
    const stages = `import('/page/reply/timings.js').then(m => m.stagesOf({ total: 100, target: 60, queue: 0, decode: 30.04 }))`
    t.same(await page.evaluate(stages), [
      ['decode', 30.04],
      ['target', 60],
      ['other', 10],
    ])
  })

  const folder = t.testdir({ 'receipt.png': readFileSync(EXAMPLE) })
  const same = ({ answer, bbox, decision, compare, target }: Reply) => ({
    answer,
    bbox,
    decision,
    compare: compare.answer,
    target: target.name,
  })
  await t.test('the code to copy asks the same', async t => {
    t.same(same(await runSnippet('curl', await snippet(page, 'curl'), folder)), same(reply))
    await page.click('#copy')
    await page.getByText('Copied').waitFor()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), await page.locator('#snippet').textContent())
  })

  await t.test('a second question, with marks that shells and programs read', async t => {
    const question = `What's the "date"? $HOME \\ é`
    const [second] = await Promise.all([page.waitForResponse(/\/answer$/), ask(page, question)])
    const other = (await second.json()) as Reply
    t.equal(await page.locator('h2.question').textContent(), question)
    await checkPlace(t, page, '.box.main', other.bbox)
    for (const language of ['curl', 'Python', 'JavaScript'] as const)
      t.same(same(await runSnippet(language, await snippet(page, language), folder)), same(other), language)
    const list = page.locator('#history button')
    t.same(await list.allTextContents(), [`${question}${other.answer}`, `What is the total?${reply.answer}`])
    await list.nth(1).click()
    t.equal(await page.locator('h2.question').textContent(), 'What is the total?')
    await checkPlace(t, page, '.box.main', reply.bbox)
    t.equal(await page.locator('.box').count(), 1, 'each keeps its own box')
    t.equal(await page.inputValue('#question'), 'What is the total?')
    t.equal(await list.nth(1).getAttribute('aria-current'), 'true')
    await chooseExample(page, 0)
    t.equal(await page.locator('#asked').isVisible(), false, 'another picture begins anew')
  })
  t.same(outside, [])
  t.same(wrong, [])

  await t.test('the policy holds: no other origin, no script and no style in the page', async t => {
    const blocked = await page.evaluate(`fetch('http://localhost:1/').then(() => 'sent', error => error.name)`)
    t.equal(blocked, 'TypeError')
    const script = `(() => { const s = document.createElement('script'); try { s.textContent = 'window.ran = 1' } catch {}; document.head.append(s); return window.ran })()`
    t.equal(await page.evaluate(script), undefined)
    t.ok(
      wrong.some(line => line.startsWith('CSP: connect-src')),
      'and a breach of it is seen by this test',
    )
  })
}
