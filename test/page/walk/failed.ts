import type { Browser, Page } from 'playwright-core'
import type { Test } from 'tap'
import { listen } from '../../support/fakes/app.js'
import { hang, located } from '../../support/fakes/scripted-engine.js'
import { png } from '../../support/images/pictures.js'
import { openPage } from '../browser.js'
import type { Services } from '../services.js'
import { ask, checkPlace, chooseExample, namedBox } from './steps.js'

/** What goes wrong, in the words of the service. */
export async function failed(t: Test, browser: Browser, { open }: Services): Promise<void> {
  const { page, outside, wrong } = await openPage(t, browser, open)
  const problem = page.locator('#problem')

  await t.test('no picture, no question', async t => {
    await page.fill('#question', 'What is it?')
    await page.click('#send')
    t.match(await problem.textContent(), /Choose a picture first/)
    await page.setInputFiles('#file', { name: 'page.png', mimeType: 'image/png', buffer: png(64, 48) })
    await page.getByText('page.png, 64 × 48').waitFor()
    t.equal(await problem.isVisible(), false)
    await page.fill('#question', '')
    await page.click('#send')
    t.equal(await page.evaluate(`document.querySelector('#question').validity.valueMissing`), true)
  })

  await t.test('a picture that is refused: a bomb, and what is no picture', async t => {
    for (const [name, buffer, shown, message, code] of [
      ['bomb.png', png(20_000, 20_000), /too large to be shown/, /20000x20000 .*50 megapixels/, 'image_too_large'],
      [
        'notes.png',
        Buffer.from('only words'),
        /cannot show this file/,
        /JPEG, PNG (or|and) WebP/,
        'unsupported_image_format',
      ],
    ] as const) {
      await page.setInputFiles('#file', { name, mimeType: 'image/png', buffer })
      await page.locator('#unseen').waitFor()
      t.match(await page.locator('#unseen').textContent(), shown, name)
      t.equal(await page.locator('#draw').isDisabled(), true)
      const [response] = await Promise.all([page.waitForResponse(/\/answer$/), ask(page, 'What is it?')])
      const { error, request_id } = (await response.json()) as { error: { message: string }; request_id: string }
      t.match(error.message, message)
      await checkProblem(t, page, error.message, code, request_id)
      t.equal(await page.locator('.box').count(), 0)
      t.equal(await page.locator('#crop').isVisible(), false)
    }
  })

  await t.test('a target that is down: the box is shown all the same', async t => {
    t.same(await page.locator('#target option').allTextContents(), ['mini (smolvlm-mini)', 'down (gone)'])
    await chooseExample(page)
    const box = await namedBox(page)
    await page.selectOption('#target', 'down')
    const [response] = await Promise.all([page.waitForResponse(/\/answer$/), ask(page, 'What is the total?')])
    t.equal(response.status(), 502)
    const { error, request_id } = (await response.json()) as { error: { message: string }; request_id: string }
    await checkProblem(t, page, error.message, 'target_failed', request_id)
    t.match(await problem.textContent(), /The box was found all the same/)
    t.same(await namedBox(page), box)
    await checkPlace(t, page, '.box.main', box)
    t.equal(await page.locator('#crop').isVisible(), true)
    t.equal(await page.locator('.card').count(), 0)
    t.match(await page.locator('#snippet').textContent(), /target=down/)
    await page.selectOption('#target', 'mini')
    await ask(page, 'What is the date?')
    t.equal(await problem.isVisible(), false)
    t.match(await page.locator('#history').textContent(), /What is the total\?target_failed/)
  })

  await t.test('a service that is gone', async t => {
    await page.context().setOffline(true)
    await page.fill('#question', 'And now?')
    await page.click('#send')
    await page.getByText('The service cannot be reached').waitFor()
    await page.context().setOffline(false)
    await ask(page, 'And now?')
    t.equal(await problem.isVisible(), false)
  })
  t.same(outside, [])
  // the browser itself writes a line for each reply that is an error
  t.same(
    wrong.filter(line => !/Failed to load resource/.test(line)),
    [],
  )

  await t.test('a cropper that finds nothing', async t => {
    const { url } = await listen(t, {
      locate: job => located(job, { box: [0, 0, 100, 100], decision: 'fallback', reason: 'no_box', raw: 'hm' }),
    })
    const { page } = await openPage(t, browser, url)
    await chooseExample(page)
    t.match(
      await page.locator('.verdict').textContent(),
      /No box The target saw the whole picture: the model wrote no box/,
    )
    t.equal(await page.locator('.box').count(), 0)
    t.equal(await page.locator('#crop').isVisible(), false)
    t.equal(await page.locator('dt:text-is("Confidence")').count(), 0)
  })

  await t.test('a question that is cancelled', async t => {
    const { url } = await listen(t, { locate: hang })
    const { page } = await openPage(t, browser, url)
    await page.locator('.example').first().click()
    const cancel = page.getByRole('button', { name: 'Cancel', exact: true })
    await cancel.waitFor()
    t.equal(await page.locator('#status').textContent(), 'Asking…')
    await cancel.click()
    await page.getByRole('button', { name: 'Ask', exact: true }).waitFor()
    t.equal(await page.locator('#problem').isVisible(), false)
  })
}

async function checkProblem(t: Test, page: Page, message: string, code: string, requestId: string): Promise<void> {
  const place = page.getByRole('alert')
  const text = await place.textContent()
  for (const part of [message, code, requestId]) t.ok(text?.includes(part), `the page says ${part}`)
}
