/** Descriptors while nothing is asked: connections and pipes of requests would count as well. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchService } from '../service.js'
import { descriptors } from '../system/proc.js'
import type { Load } from './load.js'
import { closeConnections } from './requests/send.js'

export interface Rest {
  http: number
  engine: number
}

const POLL_MS = 250

/**
 * Stops the load, waits until the descriptors become no fewer, and goes on.
 * @param wanted Where there are no more than these, no longer is waited.
 * @param settleMs How long is waited at most: connections that are kept end by themselves.
 */
export async function restOf(
  load: Load,
  { pid, engines }: BenchService,
  wanted: Rest | null,
  settleMs: number,
): Promise<Rest> {
  const resume = await load.pause()
  closeConnections()
  const start = performance.now()
  let least = { http: Number.POSITIVE_INFINITY, engine: Number.POSITIVE_INFINITY }
  do {
    await sleep(POLL_MS)
    const now = { http: descriptors(pid) ?? Number.NaN, engine: descriptors(engines()[0] ?? 0) ?? Number.NaN }
    least = { http: Math.min(least.http, now.http), engine: Math.min(least.engine, now.engine) }
  } while (
    !(wanted && least.http <= wanted.http && least.engine <= wanted.engine) &&
    performance.now() - start < settleMs
  )
  resume()
  return least
}
