/** The service inside another program: the package's own door, with the real engine and the tiny model. */
import { pino } from 'pino'
import t from 'tap'
import { CropVlmClient, createService } from '../src/index.js'
import { noise } from './support/scripted.js'

t.setTimeout(120_000)

const env = { CROPPER_MODEL: 'test/fixtures/models/tiny-box', LOCAL_TARGET_MODEL: 'test/fixtures/models/tiny' }
const log = pino({ level: 'silent' })

t.test('answers without a port, over one, and ends', async t => {
  const service = await createService({ env: { ...env, PORT: '0' }, log })
  t.teardown(() => service.close())
  t.match(await service.ready, { models: [{ role: 'cropper' }, { role: 'target' }] })
  const image = new Uint8Array(await noise(120, 90))
  const question = 'What is the total?'
  const inside = await new CropVlmClient({ fetch: service.fetch }).answer({ image, question, compare: true })
  t.match(inside, { image: { width: 120, height: 90 }, answer: String, compare: { answer: String } })
  const baseUrl = await service.listen()
  const { bbox, raw } = await new CropVlmClient({ baseUrl }).crop({ image, question })
  t.same([bbox, raw], [inside.bbox, inside.raw])
  await Promise.all([service.close(), service.close()])
  t.equal(service.engine.state, 'stopped')
})

t.test('what is wrong with the variables is thrown, all of it', async t => {
  const error = await t.rejects(async () => createService({ env: { PORT: 'x', QUEUE_SIZE: '-1' }, log }))
  t.match(error, { code: 'invalid_config', message: /PORT[\s\S]*QUEUE_SIZE/ })
})
