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

t.test('a misspelt variable is warned of, once', async t => {
  const lines: string[] = []
  const noted = pino({ level: 'warn' }, { write: line => lines.push(JSON.parse(line).msg) })
  const service = await createService({ env: { ...env, TARGET_URL: 'x' }, log: noted, warmUp: false })
  await service.close()
  t.same(lines, ['TARGET_URL is set, but nothing reads it; did you mean TARGET_BASE_URL?'])
})

t.test('a model folder that is not there is named', async t => {
  await t.rejects(createService({ env: { ...env, CROPPER_MODEL: '/nowhere' }, log }), {
    code: 'invalid_config',
    message: /^There is no model folder \/nowhere; /,
  })
})

t.test('what is wrong with the variables is thrown, all of it', async t => {
  const error = await t.rejects(async () => createService({ env: { PORT: 'x', QUEUE_SIZE: '-1' }, log }))
  t.match(error, { code: 'invalid_config', message: /PORT[\s\S]*QUEUE_SIZE/ })
})
