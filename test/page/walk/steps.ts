/** What people do on the page, and what they see. */
import type { Page } from 'playwright-core'
import type { Test } from 'tap'

/** Chooses one of the examples by its number from 0, and waits for the answer. */
export async function chooseExample(page: Page, number = 0): Promise<void> {
  await sent(page, page.locator('.example').nth(number).click())
  await page.locator('.answers').waitFor()
}

/** Waits until what a step sends is answered, and that is shown. */
async function sent(page: Page, step: Promise<void>): Promise<void> {
  const [response] = await Promise.all([page.waitForResponse(/\/answer$/), step])
  await response.finished()
  await page.locator('body:not(.busy)').waitFor()
}

/** Types a question, sends it, and waits for what comes of it. */
export async function ask(page: Page, question: string): Promise<void> {
  await page.fill('#question', question)
  await sent(page, page.click('#send'))
}

/** The texts of the answers by the titles of their cards. */
export async function answers(page: Page): Promise<Record<string, string>> {
  const titles = await page.locator('.card h3').allTextContents()
  const texts = await page.locator('.card .answer').allTextContents()
  return Object.fromEntries(titles.map((title, i) => [title, texts[i] ?? '']))
}

/** The numbers of the box that the page names. */
export async function namedBox(page: Page): Promise<number[]> {
  const text = await page.locator('dt:text-is("Box") + dd').textContent()
  return (text ?? '').match(/\d+/g)?.map(Number) ?? []
}

/** Holds a box on the picture to its per cents, to a pixel of the screen. */
export async function checkPlace(t: Test, page: Page, selector: string, box: readonly number[]): Promise<void> {
  const image = await page.locator('#frame img').boundingBox()
  const marked = await page.locator(selector).boundingBox()
  if (!image || !marked) return void t.fail(`${selector} is not on the page`)
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = box
  const wanted = [
    image.x + (image.width * x1) / 100,
    image.y + (image.height * y1) / 100,
    image.x + (image.width * x2) / 100,
    image.y + (image.height * y2) / 100,
  ]
  const found = [marked.x, marked.y, marked.x + marked.width, marked.y + marked.height]
  const off = wanted.map((edge, i) => Math.abs(edge - (found[i] ?? 0)))
  t.ok(Math.max(...off) <= 1, `${selector} is where its per cents are`, { found, wanted })
  t.ok(image.width > 200 && image.height > 100, 'the picture is shown')
}

/** The code of a language, as the page offers it. */
export async function snippet(page: Page, language: 'curl' | 'Python' | 'JavaScript'): Promise<string> {
  await page.locator('.segments').getByText(language, { exact: true }).click()
  return (await page.locator('#snippet').textContent()) ?? ''
}
