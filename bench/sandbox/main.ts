/**
 * What the engine's sandbox costs: starts of the service, and boxes by the bundled cropper, with and without it in turns, so
 * that whatever else this machine does falls on both. `npm run sandbox-cost`, on Linux with bubblewrap.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startService } from '../../src/cli/eval/service.js'
import { ROOT } from '../root.js'

const STARTS = 10
const ROUNDS = 20
const REQUESTS = 5

const cache = mkdtempSync(join(tmpdir(), 'cropvlm-sandbox-'))
const MODES = ['off', 'on'] as const
type Mode = (typeof MODES)[number]

async function start(mode: Mode) {
  const env = {
    ...process.env,
    API_KEY: '',
    CROPPER_MODEL: 'models/cropvlm-mini',
    EXECUTION_PROVIDER: 'cpu',
    GRAPH_CACHE_DIR: cache,
    // each request is to do all the work
    PREFIX_CACHE_BYTES: '0',
    ENGINE_SANDBOX: mode,
  }
  const from = performance.now()
  const { url, stop } = await startService(env, join(ROOT, 'dist/main.js'))
  return { url, stop, ms: performance.now() - from }
}

const inTurns = (round: number) => (round % 2 === 0 ? MODES : MODES.toReversed())
const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

function tell(what: string, times: Record<Mode, number[]>): void {
  const [off, on] = [median(times.off), median(times.on)]
  const ratios = times.off.map((ms, i) => (times.on[i] ?? Number.NaN) / ms)
  console.log(
    `${what}: off ${off.toFixed(1)} ms, on ${on.toFixed(1)} ms (medians of ${times.off.length}), ratio ${median(ratios).toFixed(3)} (median of the turns)`,
  )
}

try {
  // writes the optimised graphs
  await (await start('off')).stop()
  const starts: Record<Mode, number[]> = { off: [], on: [] }
  for (let round = 0; round < STARTS; round++)
    for (const mode of inTurns(round)) {
      const { ms, stop } = await start(mode)
      starts[mode].push(ms)
      await stop()
    }
  tell('Start until ready', starts)

  const services = { off: await start('off'), on: await start('on') }
  const body = JSON.stringify({
    image: readFileSync(join(ROOT, 'docs/example.png')).toString('base64'),
    question: 'What is the total?',
  })
  const crops: Record<Mode, number[]> = { off: [], on: [] }
  for (let round = -2; round < ROUNDS; round++)
    for (const mode of inTurns(round))
      for (let i = 0; i < REQUESTS; i++) {
        const from = performance.now()
        const headers = { 'content-type': 'application/json' }
        const reply = await fetch(`${services[mode].url}/crop`, { method: 'POST', headers, body })
        await reply.arrayBuffer()
        if (reply.status !== 200) throw new Error(`/crop replied ${reply.status}`)
        if (round >= 0) crops[mode].push(performance.now() - from)
      }
  tell('POST /crop, cropvlm-mini, docs/example.png', crops)
  for (const mode of MODES) await services[mode].stop()
} finally {
  rmSync(cache, { recursive: true, force: true })
}
