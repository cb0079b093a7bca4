/** A form sent to `/crop` of the whole app: no failure of ours, and what the engine gets is what undici's parser finds. */
import assert from 'node:assert/strict'
import { pino } from 'pino'
import { Response } from 'undici'
import { readConfig } from '../../src/config/service.js'
import { oneLine } from '../../src/contract/question.js'
import { configuredCropper } from '../../src/cropper/croppers.js'
import { buildApp } from '../../src/http/app.js'
import { makeTargets } from '../../src/target/targets.js'
import { scriptedEngine } from '../../test/support/fakes/scripted-engine.js'
import type { Target } from '../target.js'

const config = readConfig({
  LOG_LEVEL: 'silent',
  CROPPER_MODEL: 'models/cropvlm-mini',
  LOCAL_TARGET_MODEL: 'models/smolvlm-mini',
})
const engine = scriptedEngine()
const cropper = configuredCropper(config).make(engine)
const parts = { config, engine, cropper, targets: makeTargets(config, engine), log: pino({ level: 'silent' }) }
const app = await buildApp(parts)
await app.ready()

const TYPE = { 'content-type': 'multipart/form-data; boundary=b' }

const WORDS = [
  '--b',
  '\r\n',
  'Content-Disposition: form-data; name=',
  'filename=',
  'filename*=',
  'image',
  'question',
  'questions',
  'Content-Type: ',
  'Content-Transfer-Encoding: base64',
  'application/json',
]

export const target: Target = {
  isSync: false,
  maxLength: 4096,
  maxMs: 500,
  packages: ['@fastify/busboy', '@fastify/multipart'],
  words: WORDS,
  async run(payload) {
    engine.jobs.length = 0
    const { statusCode, body } = await app.inject({ method: 'POST', url: '/crop', headers: TYPE, payload })
    assert.ok(statusCode < 500, `${statusCode}: ${body}`)
    const reply = JSON.parse(body) as { error?: { code: string }; bbox?: unknown }
    assert.ok(statusCode === 200 ? reply.bbox || 'results' in reply : reply.error?.code, body)
    if (statusCode !== 200) return
    const job = engine.jobs.find(({ kind }) => kind === 'locate')
    if (job?.kind !== 'locate') return
    const form = await new Response(new Uint8Array(payload), { headers: TYPE }).formData().catch(() => null)
    // undici takes a part with `Content-Transfer-Encoding: base64` as it stands, where we decode it as old clients mean it
    if (form === null || /transfer-encoding/i.test(payload.toString('latin1'))) return
    const image = form.get('image')
    if (image !== null && typeof image !== 'string')
      assert.equal(text(await image.arrayBuffer()), text(job.image), 'another image')
    const questions = form.getAll('question').filter(value => typeof value === 'string')
    if (questions.length > 0 && !form.has('questions'))
      // a cropper is asked on one line
      assert.deepEqual(job.questions, questions.map(oneLine))
  },
}

/** `@fastify/busboy` leaves out line breaks with which a part's content begins. */
function withoutBreaks(content: string): string {
  return content.replace(/^(?:\r\n)+/, '')
}

function text(bytes: ArrayBuffer | Uint8Array): string {
  return withoutBreaks(Buffer.from(bytes as Uint8Array).toString('latin1'))
}
