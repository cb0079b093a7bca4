/**
 * The caller of the proxies, a process of its own. Lines of JSON: in a `Job`, out what came of it (`Asked[][]`, `Burst` or
 * `Streamed`); of streams a line `"begun"` before, when each has had its first event. It ends with its input.
 */
import { readFile } from 'node:fs/promises'
import { Agent, type IncomingMessage, request } from 'node:http'
import { createInterface } from 'node:readline'
import { commented } from '../picture.js'

export type Job =
  /** One caller, who asks each of the addresses in turn, `count` times. */
  | { kind: 'turns'; urls: string[]; count: number; picture?: string; seed: number }
  /** A closed loop. */
  | { kind: 'burst'; url: string; callers: number; seconds: number }
  /** All at once; the query of the address says what is streamed. */
  | { kind: 'streams'; url: string; clients: number }

/** The outcome of one request. */
export interface Asked {
  ms: number
  /** The headers `x-cropvlm-ms` and `x-cropvlm-decision`; null where there are none. */
  zoom_ms: number | null
  decision: string | null
  body_bytes: number
}

export interface Burst {
  requests: number
  ms: number
}

export interface Streamed {
  /** Milliseconds that each event was on its way, the first of each stream and all. */
  first: number[]
  all: number[]
  /** Events of each stream. */
  events: number[]
}

const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1024 })
const QUESTION = 'What is the total?'

for await (const line of createInterface({ input: process.stdin })) say(await run(JSON.parse(line) as Job))

function run(job: Job): Promise<unknown> {
  switch (job.kind) {
    case 'turns':
      return turns(job)
    case 'burst':
      return burst(job)
    case 'streams':
      return streams(job)
  }
}

async function turns({ urls, count, picture, seed }: Job & { kind: 'turns' }): Promise<Asked[][]> {
  const jpeg = picture === undefined ? null : await readFile(picture)
  const asked: Asked[][] = urls.map(() => [])
  for (let i = 0; i < count; i++) {
    // each time another file to the service, the same one at all addresses
    const body = chat(jpeg && commented(jpeg, `${seed}/${i}`))
    for (const [way, url] of urls.entries()) asked[way]?.push(await ask(url, body))
  }
  return asked
}

async function burst({ url, callers, seconds }: Job & { kind: 'burst' }): Promise<Burst> {
  const body = chat(null)
  const start = performance.now()
  let requests = 0
  const call = async () => {
    while (performance.now() - start < seconds * 1000) {
      await ask(url, body)
      requests += 1
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return { requests, ms: performance.now() - start }
}

async function streams({ url, clients }: Job & { kind: 'streams' }): Promise<Streamed> {
  const body = chat(null)
  const found: Streamed = { first: [], all: [], events: [] }
  const begun = () => {
    if (found.first.length === clients) say('begun')
  }
  const stream = async () => {
    const response = await post(url, body)
    if (response.statusCode !== 200) throw new Error(`${url} answers ${response.statusCode}`)
    const own: number[] = []
    for await (const line of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
      const [, sent] = /"sent":"(\d+)"/.exec(line) ?? []
      if (sent === undefined) continue
      own.push(Number(process.hrtime.bigint() - BigInt(sent)) / 1e6)
      if (own.length > 1) continue
      found.first.push(own[0] ?? Number.NaN)
      begun()
    }
    found.all.push(...own)
    found.events.push(own.length)
  }
  await Promise.all(Array.from({ length: clients }, stream))
  return found
}

async function ask(url: string, body: Buffer): Promise<Asked> {
  const start = performance.now()
  const response = await post(url, body)
  response.resume()
  await new Promise((resolve, reject) => response.once('end', resolve).once('error', reject))
  const ms = performance.now() - start
  if (response.statusCode !== 200) throw new Error(`${url} answers ${response.statusCode}`)
  const { 'x-cropvlm-ms': zoom, 'x-cropvlm-decision': decision } = response.headers
  return {
    ms,
    zoom_ms: zoom === undefined ? null : Number(zoom),
    decision: decision === undefined ? null : String(decision),
    body_bytes: body.length,
  }
}

function post(url: string, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    request(url, { method: 'POST', agent, headers }, resolve).once('error', reject).end(body)
  })
}

/** A chat completion request of one turn. */
function chat(jpeg: Buffer | null): Buffer {
  const url = jpeg && `data:image/jpeg;base64,${jpeg.toString('base64')}`
  const image = url === null ? [] : [{ type: 'image_url', image_url: { url } }]
  const content = [{ type: 'text', text: QUESTION }, ...image]
  return Buffer.from(JSON.stringify({ model: 'bench', messages: [{ role: 'user', content }] }))
}

function say(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
