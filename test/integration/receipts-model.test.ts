/**
 * The bundled cropper for receipts, through the whole service, on a receipt that the trainer drew
 * (`data synth --style documents --n 16 --seed 99`, page 15); it was trained on pages of another seed.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { holds } from '../support/images/boxes.js'
import { startReal } from '../support/real.js'

const { app } = await startReal(t, {
  CROPPER_MODEL: fileURLToPath(new URL('../../models/cropvlm-receipts', import.meta.url)),
})
const page = readFileSync(new URL('../fixtures/pages/drawn-receipt.jpg', import.meta.url))
/** Questions, and the lines that show the answers, in per cent. */
const questions = [
  ['What does the rain jacket set cost?', [83.2, 51.2, 97.0, 52.3]],
  ['Which date is on the receipt?', [28.9, 25.2, 48.6, 26.4]],
] as const

for (const [question, line] of questions)
  t.test(question, async t => {
    const response = await app.inject({
      method: 'POST',
      url: '/crop',
      payload: { image: page.toString('base64'), question },
    })
    const reply = response.json()
    t.equal(response.statusCode, 200)
    t.match(reply, { decision: 'zoomed', model: { id: 'cropvlm-receipts', resolution: 512, tiles: 1 } })
    const [left, top, right, bottom] = reply.bbox
    t.ok(holds(reply.bbox, line), `${reply.bbox} holds the line`)
    t.ok((right - left) * (bottom - top) < 1000, 'and is a crop, not the page')
    t.match(reply.warnings, [/knows scanned receipts/])
  })
