/** Links, which the running service fetches: the server with --url, a real service on loopback, and a host of images. */
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import sharp from 'sharp'
import t from 'tap'
import { readConfig } from '../../src/config/service.js'
import { pictureEngineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { buildApp } from '../../src/http/app.js'
import { imageLinks } from '../../src/links/links.js'
import { compiledService } from '../support/compiled.js'
import { scriptedCropper } from '../support/fakes/cropper.js'
import { startDns } from '../support/network/dns-server.js'
import { startImageHost } from '../support/network/image-host.js'
import { noise } from '../support/scripted.js'
import { startSession } from './session.js'

t.setTimeout(240_000)

const question = 'What is the total?'
/** Redder to the right, greener to the bottom. */
const slope = Buffer.from(Array.from({ length: 80_000 }, (_, i) => [(i % 400) / 2, i / 400, 99]).flat())
const image = await sharp(slope, { raw: { width: 400, height: 200, channels: 3 } })
  .png()
  .toBuffer()
const dataUrl = async () => `data:image/png;base64,${(await noise(40, 40)).toString('base64')}`
const log = pino({ level: 'silent' })

t.test('a service elsewhere', async t => {
  const host = await startImageHost(t, ({ url }, reply) => {
    if (url === '/page.png') reply.end(image)
    else reply.writeHead(404).end()
  })
  const { resolver } = await startDns(t, name => [name === 'img.test' ? '127.0.0.1' : '10.0.0.1'])
  const env = { IMAGE_URLS: 'allow', IMAGE_URL_HOSTS: `*.test:${host.port}`, API_KEY: 'sk-test' }
  const config = readConfig(env)
  const module = pathToFileURL(join(compiledService(), 'engine/child/main.js'))
  const engine = startEngine({ ...pictureEngineOptions(config), module }, log)
  const app = await buildApp({
    config,
    engine,
    cropper: scriptedCropper(engine, ({ question }) =>
      question === question.toUpperCase() ? { decision: 'fallback', reason: 'no_match', box: [0, 0, 100, 100] } : {},
    ),
    targets: new Map(),
    links: imageLinks(config, { resolver, isAllowedAddress: address => address === '127.0.0.1' }),
    log,
  })
  t.teardown(async () => {
    await app.close()
    await engine.close()
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  await engine.ready
  const link = `http://img.test:${host.port}/page.png`
  const { zoom, log: told } = await startSession(t, { args: ['--url', url], env: { API_KEY: 'sk-test' } })

  const found = await zoom({ image: link, question })
  t.match(found, {
    isError: false,
    mediaType: 'image/jpeg',
    structured: {
      bbox_2d: [250, 500, 750, 1000],
      bbox_pixels: [100, 100, 300, 200],
      image: { width: 400, height: 200 },
      crop: { width: 800, height: 400 },
      decision: 'zoomed',
      found_by: 'scripted',
      confidence: 0.5,
    },
  })
  const region = { left: 100, top: 100, width: 200, height: 100 }
  const [shown, cut] = await Promise.all([
    sharp(found.picture ?? '')
      .resize(200, 100)
      .raw()
      .toBuffer(),
    sharp(image).extract(region).removeAlpha().raw().toBuffer(),
  ])
  const mean = shown.reduce((sum, value, i) => sum + Math.abs(value - (cut[i] ?? 0)), 0) / cut.length
  t.ok(mean < 2, `twice a JPEG: ${mean}`)

  const given = await zoom({ image: link, bbox_2d: [0, 0, 505, 1000] })
  t.match(given.structured, { decision: 'given', bbox_pixels: [0, 0, 202, 200], image: { width: 400, height: 200 } })
  t.match((await zoom({ image: link, question: 'NOTHING' })).structured, {
    decision: 'fallback',
    crop: { width: 400, height: 200 },
  })
  t.equal(host.requests.length, 3)

  for (const [other, says] of [
    ['https://example.com/a.png', /IMAGE_URL_HOSTS.*as a file/],
    [`http://inner.test:${host.port}/page.png`, /no address on the public internet/],
    [`http://img.test:${host.port}/missing.png`, /status 404.*as a file/],
  ] as const)
    t.match(await zoom({ image: other, question }), { isError: true, text: says })
  t.equal(told(), '')
})

t.test('a call that is cancelled is taken back from the service', async t => {
  const received = new EventEmitter()
  const host = await startImageHost(t, request => {
    received.emit('request')
    request.on('close', () => received.emit('close'))
    request.resume()
  })
  const { zoom } = await startSession(t, { args: ['--url', `http://127.0.0.1:${host.port}`] })
  const [requested, closed] = [once(received, 'request'), once(received, 'close')]
  const cancel = new AbortController()
  const call = zoom({ image: await dataUrl(), question }, { signal: cancel.signal })
  await requested
  cancel.abort('enough')
  await t.rejects(call, /enough/)
  await closed
  t.match(await zoom({ image: await dataUrl(), bbox_2d: [0, 0, 500, 500] }), { isError: false })
})

t.test('a service that is down, and a key that is wrong, are errors of the tool', async t => {
  const host = await startImageHost(t, (_, reply) => {
    const error = { message: 'The key is wrong.', type: 'invalid_request_error', code: 'invalid_api_key' }
    reply.writeHead(401, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
  })
  const data = await dataUrl()
  const down = await startSession(t, { args: ['--url', 'http://127.0.0.1:1'] })
  t.match(await down.zoom({ image: data, question }), {
    isError: true,
    text: /No service answers at http:\/\/127\.0\.0\.1:1.*cropvlm serve/,
  })
  t.match(await down.zoom({ image: data, bbox_2d: [0, 0, 500, 500] }), { isError: false }, 'a box needs no service')
  const wrong = await startSession(t, { args: ['--url', `http://127.0.0.1:${host.port}`] })
  t.match(await wrong.zoom({ image: data, question }), { isError: true, text: /The key is wrong/ })
})
