/** With a real engine process that has no models. */

import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { readConfig } from '../../../src/config/service.js'
import { pictureEngineOptions } from '../../../src/engine/options.js'
import { MAX_BYTES, Pictures } from '../../../src/mcp/crop/pictures.js'
import { noise } from '../../support/scripted.js'

t.setTimeout(120_000)

const options = pictureEngineOptions(readConfig({ ENGINE_PROCESSES: '2', LOCAL_TARGET_MODEL: 'models/smolvlm-mini' }))
const pictures = new Pictures(options, pino({ level: 'silent' }))
t.teardown(() => pictures.close())
const patience = () => ({ signal: AbortSignal.timeout(60_000), deadline: Date.now() + 60_000 })
const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: 'green' } })

t.test('an engine of one process, without any model', async t => {
  t.match(options, { processes: 1, worker: { cropper: null, targets: [], ocr: false } })
})

t.test('thousandths, to the pixel; small crops are enlarged, and none is too thin', async t => {
  const image = await noise(1000, 500)
  const cut = async (box: [number, number, number, number]) =>
    (await pictures.make(image, { box, whole: 1000 }, patience())).picture
  const picture = await cut([123, 100, 124, 102])
  t.match(picture, { mediaType: 'image/png', width: 32, height: 32 })
  const shown = await sharp(picture.bytes).removeAlpha().raw().toBuffer()
  const pixel = await sharp(image).extract({ left: 123, top: 50, width: 1, height: 1 }).removeAlpha().raw().toBuffer()
  t.same(shown.subarray(0, 3), pixel)
  t.match(await cut([0, 0, 100, 100]), { width: 400, height: 200 })
})

t.test('the whole image is not enlarged', async t => {
  const { picture, image } = await pictures.make(await plain(300, 200).png().toBuffer(), null, patience())
  t.match(picture, { width: 300, height: 200 })
  t.same(image, { width: 300, height: 200 })
})

t.test('a picture that has too many bytes becomes a JPEG, then a smaller one', async t => {
  const region = { box: [0, 0, 1000, 1000], whole: 1000 } as const
  const { picture } = await pictures.make(await noise(700, 700), region, patience())
  t.equal(picture.mediaType, 'image/jpeg')
  t.ok(picture.bytes.length <= MAX_BYTES, `${picture.bytes.length}`)
  const large = await sharp(await noise(1800, 1500))
    .jpeg({ quality: 95 })
    .toBuffer()
  const shrunk = await pictures.make(large, region, patience())
  t.match(shrunk.picture, { mediaType: 'image/jpeg' })
  t.ok(shrunk.picture.bytes.length <= MAX_BYTES, `${shrunk.picture.bytes.length}`)
  const flat = await pictures.make(await plain(1800, 900).jpeg().toBuffer(), region, patience())
  t.match(flat.picture, { mediaType: 'image/jpeg', width: 1568, height: 784 })
  const small = await pictures.make(await plain(600, 300).png().toBuffer(), region, patience())
  t.match(small.picture, { mediaType: 'image/png', width: 1568, height: 784 })
})
