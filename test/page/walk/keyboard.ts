import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { answers, namedBox } from './steps.js'

/** All of it without a mouse. */
export async function keyboard(t: Test, browser: Browser, { open }: Services): Promise<void> {
  const { page, wrong } = await openPage(t, browser, open)
  await page.getByText('Boxes by').waitFor()
  const order = [
    'Skip to the question',
    'API',
    'Choose a file',
    'Receipt',
    'Departures',
    'Road sign',
    'question',
    'Ask',
    'target',
  ]
  for (const name of order) {
    await page.keyboard.press('Tab')
    const { text, isRinged } = await focused(page)
    t.ok(text.startsWith(name), `${name} is next`, { text })
    t.ok(isRinged, `the focus on ${name} is seen`)
  }

  await t.test('the skip link, a question, an example', async t => {
    await page.locator('.skip').focus()
    await page.keyboard.press('Enter')
    await page.keyboard.type('What is the date?')
    await page.keyboard.press('Enter')
    await page.getByText('Choose a picture first').waitFor()
    await back(page, 'Receipt')
    await page.keyboard.press('Enter')
    await page.locator('.answers').waitFor()
    await forward(page, 'question')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('What is the date?')
    await page.keyboard.press('Enter')
    await page.locator('#history li').nth(1).waitFor()
    t.match(Object.values(await answers(page)), [/17\/06/])
  })

  await t.test('the history', async t => {
    await forward(page, 'What is the total?')
    await page.keyboard.press('Enter')
    t.equal(await page.locator('h2.question').textContent(), 'What is the total?')
    t.match((await focused(page)).text, /^What is the total/, 'the focus stays')
  })

  await t.test('a box, by arrow keys', async t => {
    const before = await namedBox(page)
    await back(page, 'Draw a box')
    await page.keyboard.press('Space')
    await forward(page, 'x1')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await forward(page, 'y2')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    await page.locator('.decision.given').waitFor()
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = before
    t.same(await namedBox(page), [x1 - 2, y1, x2, y2 + 1])
    t.equal((await focused(page)).text, 'Draw a box', 'the focus is not lost')
  })

  await t.test('the code', async t => {
    await forward(page, 'curl')
    await page.keyboard.press('ArrowRight')
    t.match(await page.locator('#snippet').textContent(), /^import base64/)
    await forward(page, 'Copy')
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: /Copied|Ctrl/ }).waitFor()
  })
  t.same(wrong, [])
}

/** What has the focus: its text, or its id or value where it has none; and whether that is seen. */
async function focused(page: Page): Promise<{ text: string; isRinged: boolean }> {
  return await page.evaluate(`(() => {
    const it = document.activeElement
    const ringed = [it, it.nextElementSibling].some(e => e && getComputedStyle(e).outlineStyle === 'solid')
    const text = it.value && it.type === 'radio' ? it.value : it.matches('input, select') ? it.id : it.textContent.trim()
    return { text, isRinged: ringed }
  })()`)
}

const forward = (page: Page, name: string) => press(page, 'Tab', name)
const back = (page: Page, name: string) => press(page, 'Shift+Tab', name)

/** Presses a key until something has the focus. */
async function press(page: Page, key: string, name: string): Promise<void> {
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press(key)
    if ((await focused(page)).text.startsWith(name)) return
  }
  throw new Error(`${key} does not come to ${name}`)
}
