import { readFileSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { runSnippet } from './run-snippet.js'
import { ask, chooseExample, namedBox, snippet } from './steps.js'

const buffer = readFileSync(new URL('../../../docs/example.png', import.meta.url))

/** A picture of one's own: chosen, dropped, pasted; and the examples. */
export async function pictures(t: Test, browser: Browser, { open }: Services): Promise<void> {
  const { page, outside, wrong } = await openPage(t, browser, open)
  const about = page.locator('#about')

  await t.test('a chosen file, whatever its name', async t => {
    const name = `it's a "copy", 1;2.png`
    await page.setInputFiles('#file', { name, mimeType: 'image/png', buffer })
    await page.getByText(`${name}, 735 × 561`).waitFor()
    await ask(page, 'What is the total?')
    const box = await namedBox(page)
    t.equal(box.length, 4)
    const folder = t.testdir({ [name]: buffer })
    for (const language of ['curl', 'Python', 'JavaScript'] as const)
      t.same((await runSnippet(language, await snippet(page, language), folder)).bbox, box, language)
  })

  await t.test('a dropped and a pasted file', async t => {
    for (const [kind, event] of [
      ['drop', `new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })`],
      ['paste', `new ClipboardEvent('paste', { clipboardData: data, bubbles: true })`],
    ]) {
      await hand(page, `${kind}.png`, String(event))
      await page.getByText(`${kind}.png, 735 × 561`).waitFor()
      t.equal(await page.locator('#result').isVisible(), false, 'nothing was asked about it yet')
    }
  })

  await t.test('of two that are chosen at once, the last one is taken', async t => {
    await page.locator('.example').nth(2).click()
    await page.locator('.example').nth(1).click()
    await page.locator('h2.question').getByText('Which train goes to Innsbruck?').waitFor()
    t.equal(await about.textContent(), 'departures.webp, 1600 × 1000')
    t.equal(await page.locator('#history li').count(), 1)
    await page.locator('body:not(.busy)').waitFor()
  })

  await t.test('each example has its picture and its question', async t => {
    const sizes = ['receipt.png, 735 × 561', 'departures.webp, 1600 × 1000', 'sign.webp, 1600 × 1100']
    for (const [i, size] of sizes.entries()) {
      await chooseExample(page, i)
      t.equal(await about.textContent(), size)
      t.equal(
        await page.locator('h2.question').textContent(),
        await page.locator('.example .hint').nth(i).textContent(),
      )
    }
    const receipt = readFileSync(new URL('../../../src/page/examples/receipt.png', import.meta.url))
    t.ok(receipt.equals(buffer), 'the first is docs/example.png')
  })
  t.same(outside, [])
  t.same(wrong, [])
}

/** Lets an event with a file happen on the page. @param event code that makes it, of `data` */
async function hand(page: Page, name: string, event: string): Promise<void> {
  await page.evaluate(`{
    const bytes = Uint8Array.from(atob('${buffer.toString('base64')}'), c => c.charCodeAt(0))
    const data = new DataTransfer()
    data.items.add(new File([bytes], '${name}', { type: 'image/png' }))
    document.querySelector('#stage').dispatchEvent(${event})
  }`)
}
