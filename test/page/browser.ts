/** Chromium, and what a page that is open in it did wrong. */
import { spawnSync } from 'node:child_process'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Debian's package, or the browser that CHROMIUM names. */
const CHROMIUM = process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim()

/** Why a test that needs a browser is skipped; false where there is one. */
export const NO_BROWSER: false | string = CHROMIUM ? false : 'there is no chromium (apt-get install chromium)'

/** Closed with the test. */
export async function startBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    // Chromium's sandbox does not run as root
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  })
  t.teardown(() => browser.close())
  return browser
}

export interface Opened {
  page: Page
  /** Addresses that the page asked for which are not below `at`. */
  outside: string[]
  /** Lines of the console that are errors or warnings, errors that nothing caught, and breaches of the page's CSP. */
  wrong: string[]
}

/**
 * Opens the page in a context of its own, closed with the test, and waits until it knows the service.
 * @param at the service's address, with a proxy's prefix and without a slash at the end
 */
export async function openPage(
  t: Test,
  browser: Browser,
  at: string,
  options: BrowserContextOptions = {},
): Promise<Opened> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  t.teardown(() => context.close())
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  const outside: string[] = []
  const wrong: string[] = []
  page.on('request', request => {
    const url = request.url()
    if (!/^(data|blob):/.test(url) && !url.startsWith(`${at}/`)) outside.push(url)
  })
  page.on('console', line => {
    if (['error', 'warning'].includes(line.type())) wrong.push(line.text())
  })
  page.on('pageerror', error => wrong.push(String(error)))
  await page.exposeFunction('onViolation', (text: string) => wrong.push(text))
  await page.addInitScript(
    `document.addEventListener('securitypolicyviolation', e => onViolation('CSP: ' + e.violatedDirective + ' ' + e.blockedURI))`,
  )
  await page.goto(`${at}/`)
  return { page, outside, wrong }
}
