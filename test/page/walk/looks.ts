import { existsSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import type { Test } from 'tap'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { ask, chooseExample } from './steps.js'

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url))
const MAX_BYTES = 150_000
/** Of WCAG 2, level AA, for text of any size. */
const LEAST_CONTRAST = 4.5

/** Light and dark, wide and 360 pixels wide; and the pictures of the documentation. */
export async function looks(t: Test, browser: Browser, { open }: Services): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const)
    await t.test(`${colorScheme}: every text can be read, and the documentation has its picture`, async t => {
      const { page } = await openPage(t, browser, open, { colorScheme })
      const back: string = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      const [red = 0] = back.match(/\d+/g)?.map(Number) ?? []
      t.equal(red > 128, colorScheme === 'light', back)
      t.same(await faint(page), [], 'before a question')
      await chooseExample(page)
      await ask(page, 'What is the date?')
      t.same(await faint(page), [], 'with an answer')
      if (colorScheme === 'light') {
        await page.locator('#history button').last().click()
        await screenshot(t, page, 'page-light.png')
        await page.locator('#history button').first().click()
      }
      await page.click('#draw')
      for (const [edge, value] of Object.entries({ x1: 28, y1: 34, x2: 56, y2: 41 }))
        await page.fill(`#${edge}`, String(value))
      await page.click('#drawing [type=submit]')
      await page.locator('.decision.given').waitFor()
      t.same(await faint(page), [], 'with a box of one’s own')
      if (colorScheme === 'dark') await screenshot(t, page, 'page-dark.png')
      await page.selectOption('#target', 'down')
      await ask(page, 'What is the total?')
      t.same(await faint(page), [], 'with a problem')
    })

  await t.test('360 pixels wide: nothing is scrolled sideways', async t => {
    const { page } = await openPage(t, browser, open, {
      viewport: { width: 360, height: 740 },
      isMobile: true,
      hasTouch: true,
    })
    const width = () => page.evaluate('Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)')
    t.equal(await width(), 360, 'before a question')
    await chooseExample(page, 2)
    t.equal(await width(), 360, 'with an answer')
    await page.tap('#draw')
    t.equal(await width(), 360, 'while a box is drawn')
    await page.fill('#question', 'w'.repeat(300))
    await page.tap('#drawing [type=submit]')
    await page.locator('.decision.given').waitFor()
    t.equal(await width(), 360, 'with a long word, and a box of one’s own')
    await page.selectOption('#target', 'down')
    await ask(page, 'What is the total?')
    t.equal(await width(), 360, 'with a problem')
  })
}

/** Texts whose contrast is too low, pictures and what lies on them left out. */
async function faint(page: Page): Promise<string[]> {
  return await page.evaluate(`(() => {
    const numbers = text => text.match(/[\\d.]+/g).map(Number)
    const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0)
    const backOf = e => {
      for (let at = e; at; at = at.parentElement) {
        const found = numbers(getComputedStyle(at).backgroundColor)
        if (found.length === 3 || found[3] === 1) return found
      }
      return [255, 255, 255]
    }
    const texts = [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !e.disabled &&
      [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    const tooFaint = e => {
      const [one, other] = [light(numbers(getComputedStyle(e).color)), light(backOf(e))].sort((a, b) => b - a)
      return (one + 0.05) / (other + 0.05) < ${LEAST_CONTRAST}
    }
    return texts.filter(tooFaint).map(e => e.tagName + ' ' + e.className + ': ' + e.textContent.slice(0, 40))
  })()`)
}

/** Writes a picture of the documentation where that is asked for; else holds it to be there. */
async function screenshot(t: Test, page: Page, name: string): Promise<void> {
  const path = `${DOCS}${name}`
  if (process.env.UPDATE_SCREENSHOTS === '1') {
    // without a ring round what has the focus
    await page.evaluate('document.activeElement.blur(); scrollTo(0, 0)')
    await page.mouse.move(0, 0)
    const drawn = await page.screenshot({ fullPage: true })
    writeFileSync(path, await sharp(drawn).png({ palette: true, effort: 10 }).toBuffer())
  }
  t.ok(existsSync(path) && statSync(path).size < MAX_BYTES, `docs/${name} is there, and under ${MAX_BYTES} bytes`)
}
