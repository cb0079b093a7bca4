import { readFileSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import type { Test } from 'tap'
import { startProxy } from '../../support/network/prefix-proxy.js'
import { openPage } from '../browser.js'
import { KEY, type Services } from '../services.js'
import { runSnippet } from './run-snippet.js'
import { chooseExample, namedBox, snippet } from './steps.js'

/** With a key, and behind the path prefix of a proxy: the page comes without the key, and asks for it. */
export async function keyed(t: Test, browser: Browser, services: Services): Promise<void> {
  const at = await startProxy(t, services.keyed, '/tools/cropvlm')
  const { page, outside, wrong } = await openPage(t, browser, at)
  const dialog = page.getByRole('dialog')
  const urls: string[] = []
  page.on('request', request => urls.push(request.url()))
  await dialog.waitFor()
  await page.keyboard.press('Escape')
  await page.locator('#service').getByText('This service needs a key').waitFor()

  await page.locator('.example').first().click()
  await dialog.waitFor()
  await page.getByRole('button', { name: 'Cancel' }).last().click()
  t.match(await page.getByRole('alert').textContent(), /needs a key.*invalid_api_key/)

  await page.locator('.example').first().click()
  await page.locator('#key').fill('another')
  await page.keyboard.press('Enter')
  await page.getByText('The key is not the one').waitFor()
  await page.locator('#key').fill(` ${KEY} `)
  await page.getByRole('button', { name: 'Use it' }).click()
  await page.locator('.answers').waitFor()
  await page.getByText('Boxes by cropvlm-mini').waitFor()
  t.equal(await page.locator('#target-line').isVisible(), false, 'there is one target, so no choice')

  await t.test('it is kept in this tab, and nowhere else', async t => {
    t.same(await page.evaluate('[Object.values(sessionStorage), localStorage.length, document.cookie]'), [[KEY], 0, ''])
    t.notOk(urls.some(url => url.includes(KEY)))
    t.notOk((await page.content()).includes(KEY))
    await page.reload()
    await chooseExample(page)
    t.equal(await dialog.isVisible(), false, 'it is not asked for again')
  })

  await t.test('the code reads it from the environment', async t => {
    const folder = t.testdir({ 'receipt.png': readFileSync(new URL('../../../docs/example.png', import.meta.url)) })
    const box = await namedBox(page)
    for (const language of ['curl', 'Python', 'JavaScript'] as const) {
      const code = await snippet(page, language)
      t.notOk(code.includes(KEY), language)
      t.same((await runSnippet(language, code, folder, { API_KEY: KEY })).bbox, box, language)
    }
    t.ok(await page.locator('#key-hint').isVisible())
  })

  await t.test('it can be changed', async t => {
    await page.getByRole('button', { name: 'Key' }).click()
    await page.locator('#key').fill('wrong now')
    await page.keyboard.press('Enter')
    await page.getByText('The key is not the one').waitFor()
    await page.locator('#key').fill(KEY)
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'hidden' })
    // the page hears of the closed dialog a moment after it is closed
    await page.waitForFunction(`Object.values(sessionStorage)[0] === '${KEY}'`)
    t.equal(await page.evaluate('sessionStorage.length'), 1)
  })
  t.same(outside, [], 'every address is below the prefix')
  t.same(
    wrong.filter(line => !/Failed to load resource/.test(line)),
    [],
  )
}
