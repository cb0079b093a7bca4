import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { runSnippet } from './run-snippet.js'
import { answers, checkPlace, chooseExample, namedBox, snippet } from './steps.js'

const OWN = [28, 65, 54, 71]
const FIELDS = ['x1', 'y1', 'x2', 'y2']

/** A box by hand: with the mouse, with a finger, in the fields; compared with the cropper's. */
export async function drawn(t: Test, browser: Browser, { open }: Services): Promise<void> {
  const { page, outside, wrong } = await openPage(t, browser, open)
  await chooseExample(page)
  const cropper = await namedBox(page)

  await t.test('with the mouse', async t => {
    await page.click('#draw')
    t.same(await fields(page), cropper, 'it begins with the box that is shown')
    // from the bottom right to the top left, in the middle between whole per cents
    const [from, to] = [await at(page, 53.5, 70.5), await at(page, 28.5, 65.5)]
    await page.mouse.move(from.x, from.y)
    await page.mouse.down()
    await page.mouse.move(to.x, to.y, { steps: 4 })
    await page.mouse.up()
    t.same(await fields(page), OWN)
    await checkPlace(t, page, '.box.draft', OWN)
  })

  await t.test('asked, and compared with the cropper’s', async t => {
    await page.click('#drawing [type=submit]')
    await page.locator('.decision.given').waitFor()
    t.equal(await page.locator('#drawing').isVisible(), false)
    t.same(await namedBox(page), OWN)
    await checkPlace(t, page, '.box.own.main', OWN)
    await checkPlace(t, page, '.box.cropper', cropper)
    const shown = await answers(page)
    t.same(Object.keys(shown), ['Your box', 'Cropper’s box', 'Without the crop'])
    t.match(shown['Cropper’s box'], /31\.70/)
    const overlap = `import('/page/reply/entry.js').then(m => [m.overlap([0, 0, 10, 10], [5, 0, 15, 10]), m.overlap([0, 0, 10, 10], [10, 0, 20, 10])])`
    t.same(await page.evaluate(overlap), [1 / 3, 0])
    t.match(await page.locator('.verdict dl').textContent(), /Overlap with the cropper’s\d+ %/)
    const folder = t.testdir({ 'receipt.png': readFileSync(new URL('../../../docs/example.png', import.meta.url)) })
    for (const language of ['curl', 'Python'] as const) {
      const reply = await runSnippet(language, await snippet(page, language), folder)
      t.match(reply, { decision: 'given', bbox: OWN, answer: shown['Your box'] }, language)
    }
  })

  await t.test('in the fields, also for a question that the cropper was not asked', async t => {
    await page.fill('#question', 'What is the date?')
    await page.click('#draw')
    for (const [i, edge] of [90, 32, 57, 42].entries()) await page.fill(`#${FIELDS[i]}`, String(edge))
    await page.click('#drawing [type=submit]')
    t.equal(
      await page.evaluate(`document.querySelector('#x2').validationMessage`),
      'The right edge has to be over the left one.',
    )
    await page.fill('#x1', '43')
    await checkPlace(t, page, '.box.draft', [43, 32, 57, 42])
    await page.click('#drawing [type=submit]')
    // the cropper is asked first
    await page.locator('#history li').nth(3).waitFor()
    await page.locator('body:not(.busy)').waitFor()
    t.match(await page.locator('.verdict').textContent(), /^Your box/)
    t.same(Object.keys(await answers(page)), ['Your box', 'Cropper’s box', 'Without the crop'])
    await page.click('#draw')
    await page.click('#discard')
    t.equal(await page.locator('.box.draft').count(), 0)
  })
  t.same(outside, [])
  t.same(wrong, [])

  await t.test('with a finger', async t => {
    const { page } = await openPage(t, browser, open, {
      viewport: { width: 360, height: 780 },
      hasTouch: true,
      isMobile: true,
    })
    await chooseExample(page)
    await page.tap('#draw')
    await page.locator('#frame').scrollIntoViewIfNeeded()
    const touch = await page.context().newCDPSession(page)
    for (const [type, x, y] of [
      ['touchStart', 28.5, 65.5],
      ['touchMove', 40, 68],
      ['touchMove', 53.5, 70.5],
    ] as const)
      await touch.send('Input.dispatchTouchEvent', { type, touchPoints: [await at(page, x, y)] })
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
    t.same(await fields(page), OWN)
  })
}

/** Where on the screen per cents of the picture are. */
async function at(page: Page, x: number, y: number): Promise<{ x: number; y: number }> {
  const box = await page.locator('#frame img').boundingBox()
  if (!box) throw new Error('no picture is shown')
  return { x: box.x + (box.width * x) / 100, y: box.y + (box.height * y) / 100 }
}

async function fields(page: Page): Promise<number[]> {
  return await Promise.all(FIELDS.map(async id => Number(await page.inputValue(`#${id}`))))
}
