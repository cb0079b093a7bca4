/**
 * The page at `/` as people use it, in Chromium, on the bundled models. With UPDATE_SCREENSHOTS=1 it writes the pictures of
 * the documentation.
 */
import t from 'tap'
import { NO_BROWSER, startBrowser } from './browser.js'
import { startServices } from './services.js'
import { asked } from './walk/asked.js'
import { drawn } from './walk/drawn.js'
import { failed } from './walk/failed.js'
import { keyboard } from './walk/keyboard.js'
import { keyed } from './walk/keyed.js'
import { looks } from './walk/looks.js'
import { pictures } from './walk/pictures.js'

t.setTimeout(240_000)
t.test('the page, in a browser', { skip: NO_BROWSER }, async t => {
  const [browser, services] = await Promise.all([startBrowser(t), startServices(t)])
  for (const walk of [asked, pictures, drawn, failed, keyed, keyboard, looks])
    await t.test(walk.name, t => walk(t, browser, services))
})
