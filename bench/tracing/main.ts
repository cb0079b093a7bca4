/**
 * What traces cost: the same requests to services with and without a collector, in turns, so that whatever else this machine
 * does falls on both. `npm run traces`, or with the path of another build's dist/main.js behind `--`, which is measured too.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { startService } from '../../src/cli/eval/service.js'
import { ROOT } from '../root.js'
import { children, cpuSeconds } from '../system/proc.js'

const ROUNDS = 20
const REQUESTS = 50
const REPLY = JSON.stringify({
  choices: [{ index: 0, message: { role: 'assistant', content: '31.70' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 700, completion_tokens: 4 },
})

async function listen(listener: RequestListener) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => listener(request, response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

let batches = 0
const collector = await listen((_, response) => {
  batches += 1
  response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
})
const upstream = await listen((_, response) =>
  response.writeHead(200, { 'content-type': 'application/json' }).end(REPLY),
)
const env = { ...process.env, API_KEY: '', TARGET_BASE_URL: `${upstream.url}/v1`, TARGET_MODEL: 'vlm', CROPPER: 'text' }

const MAIN = join(ROOT, 'dist/main.js')
const [other] = process.argv.slice(2)
type Kind = [name: string, main: string, more: Record<string, string>]
const kinds: Kind[] = [
  ['off', MAIN, {}],
  ['on', MAIN, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }],
  ...(other === undefined ? [] : [['other build', other, {}] satisfies Kind]),
]
const services: { name: string; url: string; pid: number; stop: () => Promise<void>; startMs: number }[] = []
for (const [name, main, more] of kinds) {
  const before = new Set(children(process.pid))
  const start = performance.now()
  const { url, stop } = await startService({ ...env, ...more }, main)
  const [pid = 0] = children(process.pid).filter(child => !before.has(child))
  services.push({ name, url, pid, stop, startMs: performance.now() - start })
}

const image = readFileSync(join(ROOT, 'docs/example.png')).toString('base64')
const WORK = {
  '/v1 without an image': ['/v1/chat/completions', { model: 'vlm', messages: [{ role: 'user', content: 'Hello.' }] }],
  '/answer, text cropper, known page': ['/answer', { image, question: 'What is the total?' }],
} as const

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

for (const [title, [path, body]] of Object.entries(WORK)) {
  const text = JSON.stringify(body)
  const ask = async (url: string) => {
    const response = await fetch(url + path, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'application/json' },
    })
    await response.arrayBuffer()
    if (response.status !== 200) throw new Error(`${path} replied ${response.status}`)
  }
  const ms = new Map(services.map(({ name }) => [name, [] as number[]]))
  const cpu = new Map(services.map(({ name }) => [name, 0]))
  for (let round = -2; round < ROUNDS; round++)
    for (const { name, url, pid } of round % 2 === 0 ? services : services.toReversed()) {
      const used = cpuSeconds([pid]) ?? Number.NaN
      for (let i = 0; i < REQUESTS; i++) {
        const start = performance.now()
        await ask(url)
        // the first rounds warm it up
        if (round >= 0) ms.get(name)?.push(performance.now() - start)
      }
      if (round >= 0) cpu.set(name, (cpu.get(name) ?? 0) + (cpuSeconds([pid]) ?? Number.NaN) - used)
    }
  const [base = 1, baseCpu = 1] = [median(ms.get('off') ?? []), cpu.get('off') ?? 1]
  for (const { name } of services) {
    const [middle, seconds] = [median(ms.get(name) ?? []), cpu.get(name) ?? 0]
    const cpuMs = (seconds * 1000) / (ROUNDS * REQUESTS)
    process.stdout.write(
      `${title}: ${name}: median ${middle.toFixed(3)} ms (x${(middle / base).toFixed(3)}), CPU of the HTTP process ${cpuMs.toFixed(3)} ms a request (x${(seconds / baseCpu).toFixed(3)})\n`,
    )
  }
}
process.stdout.write(
  `${services.map(({ name, startMs }) => `${name} ready after ${Math.round(startMs)} ms`).join(', ')}; ${batches} batches of spans\n`,
)
for (const { stop } of services) await stop()
for (const { server } of [collector, upstream]) server.close()
