/** Ends the engine process, and waits until another one has taken its place. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchService } from '../service.js'
import type { KillSignal } from './schedule.js'

/** Longer than the service itself gives a process to load and warm up (300 s), after its heartbeat was found missing. */
const MAX_BACK_MS = 600_000
const POLL_MS = 100

/**
 * @returns how long there was no engine that could answer, in ms; null where none came back
 */
export async function killEngine({ url, engines }: BenchService, signal: KillSignal): Promise<number | null> {
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
  return null
}
