/** `/docs` as a person uses it, in Chromium: choose a file, type a question, press Execute. */
import { spawnSync } from 'node:child_process'
import { type Browser, chromium, type Page } from 'playwright-core'
import t from 'tap'
import { IMAGE, listen } from '../../support/fakes/app.js'
import { startProxy } from '../../support/network/prefix-proxy.js'

/** Debian's package, or the browser that CHROMIUM names. */
const chromiumPath = process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim()
const skip = chromiumPath ? false : 'there is no chromium (apt-get install chromium)'

t.setTimeout(120_000)
t.test('/docs works as it opens, in a browser', { skip }, async t => {
  const browser = await chromium.launch({
    executablePath: chromiumPath,
    // Chromium's sandbox does not run as root
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  t.teardown(() => browser.close())

  await t.test('by the address of the service', async t => {
    const { url, engine } = await listen(t)
    const { page, outside } = await open(browser, `${url}/docs/`, url)
    for (const route of ['crop', 'answer']) t.equal(await execute(page, route), '200', route)
    t.strictSame(outside, [])
    t.match(engine.jobs[0], { questions: ['What is the date?'], resolution: null })
  })

  await t.test('behind the path prefix of a proxy, with a key', async t => {
    const { url } = await listen(t, {}, { API_KEY: 'sesame' })
    const at = await startProxy(t, url, '/tools/cropvlm')
    const { page, outside } = await open(browser, `${at}/docs`, at)
    t.equal(await execute(page, 'crop'), '401')
    await page.click('.scheme-container .btn.authorize')
    await page.fill('.auth-container input', 'sesame')
    await page.click('.auth-container .btn.authorize')
    await page.click('.auth-container .btn-done')
    for (const route of ['crop', 'answer']) t.equal(await execute(page, route), '200', route)
    t.strictSame(outside, [], 'every address is below the prefix')
  })
})

/** A page, and the addresses that it asks for which are not the service's. */
async function open(browser: Browser, url: string, service: string): Promise<{ page: Page; outside: string[] }> {
  const page = await browser.newPage()
  page.setDefaultTimeout(60_000)
  const outside: string[] = []
  page.on('request', request => {
    if (!/^data:/.test(request.url()) && !request.url().startsWith(`${service}/`)) outside.push(request.url())
  })
  await page.goto(url)
  return { page, outside }
}

/** The status that the page shows once a request has been sent. */
async function execute(page: Page, route: string): Promise<string> {
  const operation = page.locator(`#operations-zoom-${route}`)
  // the page draws the operation some time after it is opened: wait for what is to be seen, never look at once
  await operation.waitFor()
  if ((await operation.getAttribute('class'))?.includes('is-open') === false) {
    await operation.locator('.opblock-summary').click()
  }
  const toggle = operation.locator('.try-out button').first()
  // the button says "Try it out", and "Cancel" once it has been pressed; "Reset" may stand behind it
  if ((await toggle.textContent())?.trim() === 'Try it out') await toggle.click()
  const file = { name: 'page.png', mimeType: 'image/png', buffer: IMAGE }
  await operation.locator('input[type=file]').setInputFiles(file)
  await operation.locator('[data-property-name=question] input').first().fill('What is the date?')
  const [response] = await Promise.all([
    page.waitForResponse(reply => reply.request().method() === 'POST'),
    operation.locator('.execute').click(),
  ])
  const status = String(response.status())
  await operation.locator('.live-responses-table .response-col_status', { hasText: status }).waitFor()
  return status
}
