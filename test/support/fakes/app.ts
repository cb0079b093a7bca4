/** What the tests of the HTTP side stand on: an app over an engine that answers by script, and ways to send a request. */
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { type Config, readConfig } from '../../../src/config/service.js'
import { configuredCropper } from '../../../src/cropper/croppers.js'
import { type AppParts, buildApp } from '../../../src/http/app.js'
import { makeTargets } from '../../../src/target/targets.js'
import { png } from '../images/pictures.js'
import { type Script, type ScriptedEngine, scriptedEngine } from './scripted-engine.js'

export const IMAGE = png(64, 48)

export type Env = Record<string, string>

/** The cropper and the target that the engine runs, unless the test says otherwise. */
const MODELS = { CROPPER_MODEL: 'models/cropvlm-mini', LOCAL_TARGET_MODEL: 'models/smolvlm-mini' }

/** An app over a scripted engine, closed with the test. */
export async function makeApp(t: Test, script: Script = {}, env: Env = {}, more: Partial<AppParts> = {}) {
  const config: Config = readConfig({ LOG_LEVEL: 'silent', ...MODELS, ...env })
  const engine = (more.engine as ScriptedEngine | undefined) ?? scriptedEngine(script)
  const cropper = configuredCropper(config).make(engine)
  const targets = makeTargets(config, engine)
  const app = await buildApp({ config, engine, cropper, targets, log: pino({ level: 'silent' }), ...more })
  t.teardown(() => app.close())
  return { app, engine, config }
}

/** The same, listening on loopback. */
export async function listen(t: Test, script: Script = {}, env: Env = {}, more: Partial<AppParts> = {}) {
  const made = await makeApp(t, script, env, more)
  const url = await made.app.listen({ host: '127.0.0.1', port: 0 })
  return { ...made, url, port: Number(new URL(url).port) }
}

type Field = string | Uint8Array
/** An array is a field that is sent several times. */
type Fields = Record<string, Field | readonly Field[]>

/** A form as bytes; a `Uint8Array` becomes a file. */
export async function form(fields: Fields): Promise<{ payload: Buffer; headers: { 'content-type': string } }> {
  const data = new FormData()
  const all = Object.entries(fields).flatMap(([name, value]) => listOf(value).map(one => [name, one] as const))
  for (const [name, value] of all)
    data.append(name, typeof value === 'string' ? value : new Blob([new Uint8Array(value)]), ...fileName(value))
  const encoded = new Response(data)
  const type = encoded.headers.get('content-type') ?? ''
  return { payload: Buffer.from(await encoded.arrayBuffer()), headers: { 'content-type': type } }
}

function listOf(value: Field | readonly Field[]): readonly Field[] {
  return typeof value === 'string' || value instanceof Uint8Array ? [value] : value
}

function fileName(value: string | Uint8Array): [] | [string] {
  return typeof value === 'string' ? [] : ['page.png']
}

export interface Envelope {
  error: {
    message: string
    type: string
    param: string | null
    code: string
    source: string
    details?: { status?: number | null; retry_after?: number; code?: string; crop?: Record<string, unknown> }
  }
  request_id: string
}

/** Sends a form, or where `json` is given that, and gives status and body. */
export async function post(app: FastifyInstance, url: string, fields: Fields | { json: unknown }, headers: Env = {}) {
  const request = 'json' in fields ? { payload: fields.json as object, headers: {} } : await form(fields as Fields)
  const response = await app.inject({ method: 'POST', url, ...request, headers: { ...request.headers, ...headers } })
  return { status: response.statusCode, headers: response.headers, body: response.json() }
}
