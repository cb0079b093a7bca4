/** Clients that are slow, that go away, or that do not speak HTTP. */
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { form, json, type Kind, type Prepared, QUESTIONS, type World } from './kind.js'
import { oneOf } from './pictures.js'

const PARTS = 12
const PAUSE_MS = 120
/** The latest time at which a client goes away, in ms: in the middle of the body, of the work or of the reply. */
const LATEST_MS = 600

export const RUDE: readonly Kind[] = [
  {
    name: 'slow: a body in pieces',
    weight: 2,
    expect: { statuses: [200], engine: true },
    prepare: async world => slowly(await cropForm(world), PAUSE_MS),
  },
  {
    name: 'aborted: in the body',
    weight: 2,
    expect: { statuses: [200], engine: true, leaves: true },
    prepare: async world => leaving(slowly(await cropForm(world), PAUSE_MS), world),
  },
  {
    name: 'aborted: at work',
    weight: 3,
    expect: { statuses: [200], engine: true, leaves: true },
    prepare: async world => leaving(await form('/crop', await world.pictures.fresh(), { question: 'Why?' }), world),
  },
  {
    name: 'aborted: an answer',
    weight: 2,
    expect: { statuses: [200, 502, 504], engine: true, leaves: true },
    prepare: async world =>
      leaving(await form('/answer', world.pictures.renamed(), { question: 'Why?', target: 'shaky' }), world),
  },
  {
    name: 'aborted: a stream',
    weight: 2,
    expect: { statuses: [200, 429, 500, 502, 503, 504], forwarded: true, leaves: true },
    prepare: world => leaving(streamed(world), world),
  },
  {
    name: 'aborted: headers alone',
    weight: 1,
    expect: { statuses: [], engine: true, leaves: true },
    prepare: world => leaving({ path: '/crop', type: 'application/json', body: Readable.from(never()) }, world),
  },
]

async function cropForm({ pictures, random }: World): Promise<Prepared> {
  return form('/crop', oneOf(pictures.known, random), { question: QUESTIONS[0] })
}

function streamed({ random }: World): Prepared {
  const model = oneOf(['steady', 'shaky'], random)
  return json('/v1/chat/completions', { model, stream: true, messages: [{ role: 'user', content: 'Tell me.' }] })
}

function leaving(prepared: Prepared, { random }: World): Prepared {
  return { ...prepared, signal: AbortSignal.timeout(Math.floor(random() * LATEST_MS)) }
}

/** The same body, in pieces with pauses. */
function slowly({ body, ...prepared }: Prepared, pauseMs: number): Prepared {
  return { ...prepared, body: Readable.from(pieces(body as Buffer, pauseMs)) }
}

async function* pieces(body: Buffer, pauseMs: number): AsyncGenerator<Buffer> {
  const size = Math.ceil(body.length / PARTS)
  for (let at = 0; at < body.length; at += size) {
    if (at > 0) await sleep(pauseMs)
    yield body.subarray(at, at + size)
  }
}

async function* never(): AsyncGenerator<Buffer> {
  yield Buffer.from('{"question":')
  await sleep(2 * LATEST_MS)
}
