import sharp from 'sharp'
import t from 'tap'
import type { RawImage } from '../../../src/image/decode.js'
import type { Rectangle } from '../../../src/ocr/detect/rectangle.js'
import { ocrFiles } from '../../../src/ocr/graphs.js'
import { openLineReader } from '../../../src/ocr/recognize/line-reader.js'

const { recognition, characters } = ocrFiles()
const LINES = ['Harbour Cafe', 'Open daily', '12 July 2025', 'Tickets 18.50', 'No dogs allowed'] as const
const [WIDTH, ROW] = [400, 60] as const
const picture = await drawn(LINES)
const regions = LINES.map((_, i) => row(i))
const reader = await openLineReader(recognition, characters, 2, null)
const never = async () => {}

t.test('several threads read what one reads, and each line is read alone', async t => {
  const together = await reader.read(picture, regions, never)
  t.same(
    together.map(({ text }) => letters(text)),
    LINES.map(letters),
  )
  const alone = await openLineReader(recognition, characters, 1, null)
  t.same(await alone.read(picture, regions, never), together)
  for (const [i, region] of regions.entries())
    t.same(await reader.read(picture, [region], never), [together[i]], 'whatever lines are read beside it')
  t.same(await reader.read(picture, [], never), [])
})

t.test('what a checkpoint throws ends the work; the next picture is read all the same', async t => {
  let lines = 0
  const many = Array.from({ length: 40 }, (_, i) => row(i % LINES.length))
  await t.rejects(
    reader.read(picture, many, async () => {
      lines += 1
      throw new Error('nobody waits')
    }),
    { message: 'nobody waits' },
  )
  t.equal(lines, 1)
  t.match(await reader.read(picture, regions, never), [{ score: Number }])
})

t.test('a line that a thread cannot cut is an error', async t => {
  const broken = { ...row(0), corners: [] as unknown as Rectangle['corners'] }
  await t.rejects(reader.read(picture, [broken, broken, broken], never), TypeError)
})

t.test('a graph that is none', async t => {
  await t.rejects(openLineReader(import.meta.filename, characters, 2, null), { code: 'invalid_model' })
})

t.test('warm', async t => {
  await t.resolves(reader.warmUp())
})

async function drawn(lines: readonly string[]): Promise<RawImage> {
  const text = lines.map((line, i) => `<text x="20" y="${ROW * i + 40}">${line}</text>`).join('')
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${ROW * lines.length}" font-family="sans-serif" font-size="32"><rect width="100%" height="100%" fill="#fff"/>${text}</svg>`
  const { data, info } = await sharp(Buffer.from(svg)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, data }
}

function row(i: number): Rectangle {
  const [top, bottom] = [ROW * i + 6, ROW * i + 54]
  return {
    corners: [
      [0, top],
      [WIDTH, top],
      [WIDTH, bottom],
      [0, bottom],
    ],
    width: WIDTH,
    height: bottom - top,
  }
}

function letters(text: string): string {
  return text.replace(/\s/g, '').toLowerCase()
}
