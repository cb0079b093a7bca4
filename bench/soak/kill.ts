/** Ends the engine process, and waits until another one has taken its place. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchService } from '../service.js'
import type { KillSignal } from './schedule.js'

/** Loading and warming up, on a machine that is busy; a hung process is found by its heartbeat before. */
const MAX_BACK_MS = 120_000
const POLL_MS = 100

/**
 * @returns how long there was no engine that could answer, in ms
 * @throws Error: none came back
 */
export async function killEngine({ url, engines }: BenchService, signal: KillSignal): Promise<number> {
  const [engine] = engines()
  if (engine === undefined) throw new Error('there is no engine process to end')
  const start = performance.now()
  process.kill(engine, signal)
  while (performance.now() - start < MAX_BACK_MS) {
    await sleep(POLL_MS)
    if (engines().includes(engine)) continue
    const isReady = await fetch(`${url}/health/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isReady) return performance.now() - start
  }
  throw new Error(`the engine was not back ${MAX_BACK_MS / 1000} s after ${signal}`)
}
