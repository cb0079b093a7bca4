/** Targets that refuse a request for what it holds, through the whole service: real pictures, and a real socket. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { pino } from 'pino'
import sharp from 'sharp'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config/service.js'
import type { Cropper } from '../../src/cropper/cropper.js'
import { engineOptions } from '../../src/engine/options.js'
import { startEngine } from '../../src/engine/parent/client.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'
import { compiledService } from '../support/compiled.js'
import { post } from '../support/fakes/app.js'
import {
  type PictureSize,
  seesLikeQwen,
  thinksLikeGpt5,
  wantsAzuresHeader,
} from '../support/fakes/odd-target-requests.js'
import { type Reply, upstream } from '../support/fakes/upstream.js'

t.setTimeout(240_000)

const log = pino({ level: 'silent' })
const bare = engineOptions(readConfig({ LOG_LEVEL: 'silent' }), { cropper: null, ocr: false })
const worker = { ...bare.worker, targets: [], ocr: false }
const module = pathToFileURL(join(compiledService(), 'engine/child/main.js'))
const engine = startEngine({ ...bare, worker, module, execArgv: [] }, log)
t.teardown(() => engine.close())
await engine.ready

/** Always finds the same region, in the upper left corner: 16 by 15 per cent. */
const cropper: Cropper = {
  info: { name: 'text', resolutions: null, warnings: [] },
  find: async requests =>
    await Promise.all(
      requests.map(async ({ image }) => {
        const { width, height } = await sharp(image).metadata()
        const timings = { queue: 0, decode: 0, preprocess: 0 }
        const model = { id: 'fixed', resolution: null, tiles: null }
        const found = { decision: 'zoomed', reason: null, confidence: 1, raw: '' } as const
        const value = { box: [5, 5, 21, 20] as const, ...found, image: { width, height }, model, timings }
        return { status: 'fulfilled', value } as never
      }),
    ),
}

async function asked(test: Test, reply: Reply, entry: object, image: Uint8Array, more: Record<string, string> = {}) {
  const { baseUrl, received } = await upstream(test, reply)
  const target = { name: 'odd', base_url: baseUrl, model: 'vlm', ...entry }
  const origin = new URL(baseUrl).origin
  const TARGETS = JSON.stringify([target]).replaceAll('ORIGIN', origin)
  const config = readConfig({ LOG_LEVEL: 'silent', TARGETS })
  const app = await buildApp({ config, engine, cropper, targets: makeTargets(config, engine), log })
  test.teardown(() => app.close())
  const { status, body } = await post(app, '/answer', { image, question: 'What is the total?', ...more })
  const info = (await app.inject({ url: '/info' })).json().targets[0]
  return { status, body, received, info }
}

const blank = async (width: number, height: number) =>
  await sharp({ create: { width, height, channels: 3, background: '#fff' } })
    .png()
    .toBuffer()
const example = readFileSync(new URL('../../docs/example.png', import.meta.url))

t.test('no picture is too small or too narrow for an image processor', async t => {
  for (const [width, height, profile] of [
    [60, 60, 'qwen2.5-vl'],
    [60, 60, 'plain'],
    [60, 60, 'qwen3-vl'],
    [2000, 100, 'qwen2.5-vl'],
    [100, 2000, 'paper'],
    [3000, 30, 'qwen3-vl'],
    [1, 1, 'qwen2.5-vl'],
  ] as const) {
    const shown: PictureSize[][] = []
    const factor = profile === 'qwen3-vl' ? 32 : 28
    const reply = seesLikeQwen(factor, sizes => shown.push(sizes))
    const edges = { full_edge: 512, crop_edge: 512 }
    const { status, body } = await asked(t, reply, { profile, ...edges }, await blank(width, height))
    t.equal(status, 200, `${width}x${height}, ${profile}: ${JSON.stringify(shown)}`)
    t.equal(body.answer, '482')
    t.equal(shown[0]?.length, 2)
  }
})

t.test('the crop arrives enlarged to its edge; a request may want it as it was cut', async t => {
  const sizes = async (entry: object, more = {}) => {
    let seen: PictureSize[] = []
    const reply = seesLikeQwen(28, sizes => {
      seen = sizes
    })
    await asked(t, reply, entry, await blank(1000, 500), more)
    return seen.map(({ width, height }) => `${width}x${height}`)
  }
  t.same(await sizes({ profile: 'qwen2.5-vl' }), ['1000x500', '1008x473'])
  t.same(await sizes({ profile: 'qwen2.5-vl', crop_enlarge: 2 }), ['1000x500', '320x150'])
  t.same(await sizes({ profile: 'paper' }), ['512x256', '160x75'])
  t.same(await sizes({ profile: 'plain' }, { full_edge: '200', crop_edge: 'original' }), ['200x100', '160x75'])
})

t.test('a model that takes neither max_tokens nor a temperature', async t => {
  const learnt = await asked(t, thinksLikeGpt5, {}, example)
  t.match(learnt, { status: 200, body: { answer: '482' }, info: { profile: { name: 'plain' } } })
  t.equal(learnt.received.length, 3)
  const known = await asked(t, thinksLikeGpt5, { model: 'gpt-5-mini' }, example)
  t.match(known, {
    status: 200,
    info: { profile: { name: 'gpt-5', tokens_field: 'max_completion_tokens', takes_temperature: false } },
  })
  t.equal(known.received.length, 1)
})

t.test('Azure: the version in the base URL or in query, the key in a header; neither is shown', async t => {
  const base_url = 'ORIGIN/openai/deployments/eyes'
  const headers = { 'api-key': 'sk-azure' }
  for (const entry of [
    { base_url: `${base_url}?api-version=2024-06-01`, headers },
    { base_url: `${base_url}/chat/completions?api-version=2024-06-01`, headers },
    { base_url, headers, query: { 'api-version': '2024-06-01' } },
  ]) {
    const { status, body, info } = await asked(t, wantsAzuresHeader, entry, example)
    t.match({ status, body }, { status: 200, body: { answer: '482' } })
    t.notMatch(JSON.stringify(info), /sk-azure|api-version|openai\/deployments/)
  }
  const wrong = await asked(
    t,
    wantsAzuresHeader,
    { base_url: `${base_url}?api-version=1&k=sk-query`, headers },
    example,
  )
  t.match(wrong, { status: 502, body: { error: { details: { status: 404 } } } })
  t.notMatch(JSON.stringify(wrong.body), /sk-azure|sk-query/)
})

t.test('a request with edges that cannot be is refused, with what can', async t => {
  for (const value of ['8', 'big', '1.5', '20000']) {
    const { status, body } = await asked(t, thinksLikeGpt5, {}, example, { compare_edge: value })
    t.equal(status, 400)
    t.match(body.error, {
      code: 'invalid_option',
      param: 'compare_edge',
      message: '`compare_edge` must be a whole number of pixels from 16 to 16384, or original.',
    })
  }
})
