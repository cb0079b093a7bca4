import { spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { type ImageSource, openImage } from '../../src/image/decode.js'
import type { LineBox, Page } from '../../src/ocr/page.js'
import { openReader } from '../../src/ocr/reader.js'
import { chooseLines } from '../../src/text/rule.js'
import { PAGES } from '../support/images/drawn-pages.js'
import { STREET_SIZE, STREETS, TEXTLESS } from '../support/images/drawn-streets.js'
import { noise } from '../support/scripted.js'

/** Debian's package, or the browser that CHROMIUM names. */
const CHROMIUM = process.env.CHROMIUM ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim()
const reader = await openReader(2, null)
const { signal } = new AbortController()
const limits = { maxPixels: 5e7, maxAspect: 100 }
const image = (bytes: Uint8Array, key: string | null = null) => ({ key, open: () => openImage(bytes, limits) })
const example = await readFile(resolve(import.meta.dirname, '../../docs/example.png'))

t.test('the example of the README', async t => {
  const { lines, size, reused, timings } = await reader.read(image(example), signal)
  const { width, height } = await sharp(example).metadata()
  t.same(size, { width, height })
  t.equal(reused, false)
  t.ok(lines.length > 0)
  for (const { box, score } of lines) {
    t.ok(box[0] >= 0 && box[1] >= 0 && box[2] <= 100 && box[3] <= 100 && box[2] > box[0] && box[3] > box[1])
    t.ok(score >= 0.5 && score <= 1)
  }
  t.same(Object.keys(timings), ['decode', 'preprocess', 'detect', 'recognize'])
})

t.test('lines are remembered: by the file, and by the pixels of another file of the same picture', async t => {
  const first = await reader.read(image(example, 'a'), signal)
  const never = { key: 'a', open: (): Promise<ImageSource> => Promise.reject(new Error('it is not opened')) }
  const second = await reader.read(never, signal)
  t.equal(second.reused, true)
  t.same(second.lines, first.lines)
  const stored = await sharp(example).flatten({ background: '#fff' }).png({ compressionLevel: 0 }).toBuffer()
  const third = await reader.read(image(stored, 'b'), signal)
  t.equal(third.reused, true)
  t.equal((await reader.read({ ...never, key: 'b' }, signal)).reused, true)
})

t.test('noise and one colour have no text', async t => {
  const grey = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#777' } })
    .png()
    .toBuffer()
  for (const bytes of [grey, await noise(320, 240)]) {
    const page = await reader.read(image(bytes), signal)
    t.same(page.lines, [])
    t.equal(chooseLines(page, 'What does the sign say?').reason, 'no_text')
  }
})

t.test('nobody waits', async t => {
  await t.rejects(reader.read(image(await noise(64, 64)), AbortSignal.abort()), { code: 'request_aborted' })
})

/** The least confidence of a box that one would rely on. */
const CONFIDENT = 0.6

t.test(
  'pages and streets that a browser draws',
  { skip: CHROMIUM ? false : 'there is no chromium (apt-get install chromium)' },
  async t => {
    // Chromium's sandbox does not run as root
    const browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    })
    t.teardown(() => browser.close())
    const read = async (width: number, height: number, html: string) =>
      reader.read(image(await drawn(browser, width, height, html)), signal)
    await t.test('pages', t => pages(t, read))
    await t.test('streets', t => streets(t, read))
    await t.test('pictures without writing', async t => {
      for (const [name, html] of Object.entries(TEXTLESS)) {
        const page = await read(STREET_SIZE.width, STREET_SIZE.height, html)
        for (const question of ['Who won the match?', 'What is the phone number?', 'What does the sign say?'])
          t.match(chooseLines(page, question).reason, /no_text|no_match/, `${name}: ${question}`)
      }
    })
  },
)

type Read = (width: number, height: number, html: string) => Promise<Page>

async function pages(t: Test, read: Read): Promise<void> {
  let [hits, right, asked] = [0, 0, 0]
  for (const [name, { width, height, html, questions }] of Object.entries(PAGES)) {
    const page = await read(width, height, html)
    for (const [question, answer] of questions) {
      const found = chooseLines(page, question)
      const isHit = found.reason === null && answerLines(page, answer).some(line => holds(found.box, line))
      if (!isHit) t.comment(`${name}: ${question} took ${found.text || found.reason}`)
      hits += Number(isHit)
      right += Number(letters(found.text).includes(letters(answer)))
      asked += 1
    }
    t.ok(chooseLines(page, 'What colour is the car?').reason === 'no_match', `${name} has no car`)
    t.ok(chooseLines(page, 'Who won the match?').confidence < CONFIDENT, `${name} is about no match`)
  }
  // the letters of another machine's fonts may be read a little differently
  t.ok(hits >= 0.9 * asked, `${hits} boxes of ${asked} hold the answer's line`)
  t.ok(right >= 0.85 * asked, `${right} of ${asked} lines are the answer's`)
}

async function streets(t: Test, read: Read): Promise<void> {
  let [hits, asked, wrong, unanswered] = [0, 0, 0, 0]
  for (const [name, street] of Object.entries(STREETS)) {
    const page = await read(STREET_SIZE.width, STREET_SIZE.height, street.html)
    for (const [question, answer] of street.answered) {
      const { reason, box } = chooseLines(page, question)
      hits += Number(reason === null && answerLines(page, answer).some(line => holds(box, line)))
    }
    for (const question of street.unanswered) {
      const { reason, confidence, text } = chooseLines(page, question)
      const isWrong = reason === null && confidence >= CONFIDENT
      if (isWrong) t.comment(`${name}: ${question} took ${text}`)
      wrong += Number(isWrong)
    }
    asked += street.answered.length
    unanswered += street.unanswered.length
  }
  t.ok(hits >= 0.5 * asked, `${hits} boxes of ${asked} hold the answer's line`)
  t.ok(wrong <= 0.1 * unanswered, `${wrong} of ${unanswered} questions without an answer got a box that looks sure`)
}

async function drawn(browser: Browser, width: number, height: number, html: string): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width, height } })
  await page.setContent(html)
  return await page.screenshot()
}

function answerLines({ lines }: Page, answer: string): LineBox[] {
  return lines.filter(({ text }) => letters(text).includes(letters(answer))).map(({ box }) => box)
}

function letters(text: string): string {
  return text.replace(/\s/g, '').toLowerCase()
}

/** Whether a box covers at least nine tenths of a line. */
function holds([a, b, c, d]: LineBox, [x1, y1, x2, y2]: LineBox): boolean {
  const width = Math.max(0, Math.min(c, x2) - Math.max(a, x1))
  return (width * Math.max(0, Math.min(d, y2) - Math.max(b, y1))) / ((x2 - x1) * (y2 - y1)) >= 0.9
}
