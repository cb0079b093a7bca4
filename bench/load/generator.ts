/**
 * The load generator, a process of its own so that the service's answers do not delay its requests.
 * Lines of JSON: in `Plan`, out `{"ready": true}`; in anything, and it begins; out `{"sent": true}` when the last
 * request has left; out `Outcome[]` when all are answered; it ends with its input.
 */
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../random.js'
import { cropForm, type Form } from './body.js'
import { schedule } from './schedule.js'

export interface Plan {
  url: string
  /** JPEG files, in turns; each request's is made a file of its own by a comment in it. */
  pictures: string[]
  question: string
  seed: number
  /** An open loop of requests a second, or a closed loop of callers. */
  loop: { rate: number } | { callers: number }
  seconds: number
}

export interface Outcome {
  /** HTTP status; 0 where there was no answer. */
  status: number
  /** Milliseconds from the start of the run: when it was to leave, left and was answered. */
  due: number
  sent: number
  done: number
}

type Send = (due: number) => Promise<void>

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const plan = JSON.parse((await lines.next()).value) as Plan
const forms = await Promise.all(plan.pictures.map(async path => cropForm(await readFile(path), plan.question)))
say({ ready: true })
await lines.next()
say(await run(plan, forms))

async function run({ loop, seconds, seed }: Plan, forms: readonly Form[]): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const outcomes: Outcome[] = []
  const start = performance.now()
  const now = () => performance.now() - start
  const send: Send = async due => {
    const number = outcomes.length
    const outcome: Outcome = { status: 0, due, sent: now(), done: 0 }
    outcomes.push(outcome)
    const form = forms[number % forms.length]
    if (!form) throw new Error('the plan names no pictures')
    outcome.status = await post(agent, form.type, form.body(`${seed}/${number}`))
    outcome.done = now()
  }
  const sent =
    'rate' in loop
      ? await openLoop(schedule(loop.rate, seconds, seeded(seed)), now, send)
      : closedLoop(loop.callers, seconds * 1000, now, send)
  say({ sent: true })
  await Promise.all(sent)
  agent.destroy()
  return outcomes
}

async function openLoop(times: readonly number[], now: () => number, send: Send): Promise<Promise<void>[]> {
  const sent: Promise<void>[] = []
  for (const due of times) {
    const wait = due - now()
    if (wait > 0) await sleep(wait)
    sent.push(send(due))
  }
  return sent
}

function closedLoop(callers: number, ms: number, now: () => number, send: Send): Promise<void>[] {
  return Array.from({ length: callers }, async () => {
    while (now() < ms) await send(now())
  })
}

/** The status; 0 where the connection broke. */
function post(agent: Agent, type: string, body: Buffer): Promise<number> {
  return new Promise(resolve => {
    const headers = { 'content-type': type, 'content-length': body.length }
    const sending = request(`${plan.url}/crop`, { method: 'POST', agent, headers }, response => {
      response.resume()
      response.once('end', () => resolve(response.statusCode ?? 0))
      response.once('error', () => resolve(0))
    })
    sending.once('error', () => resolve(0))
    sending.end(body)
  })
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
