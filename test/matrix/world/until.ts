/** Waiting for what nothing announces: a process of another program that ends, a descriptor that is closed. */
import { setTimeout as sleep } from 'node:timers/promises'

const STEP_MS = 20

/** Milliseconds until the condition held; null where it did not within `ms`. */
export async function until(condition: () => boolean | Promise<boolean>, ms: number): Promise<number | null> {
  const start = performance.now()
  for (;;) {
    if (await condition()) return performance.now() - start
    if (performance.now() - start > ms) return null
    await sleep(STEP_MS)
  }
}
