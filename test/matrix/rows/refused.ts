/** Model folders that the service does not start with, for the rows about them. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ROOT } from '../../../bench/root.js'
import { children } from '../../../bench/system/proc.js'
import { memoryMb } from '../world/proc.js'
import type { World } from '../world/world.js'

export const MODEL = join(ROOT, 'models/cropvlm-mini')

/** Between two looks: without a pause they would take the time that the service has its limits for. */
const POLL_MS = 5

/** Changes the model folder at a path. */
export type Change = (folder: string) => void

export interface Refusal {
  /** The line that tells. */
  message: string
  /** How long the service took to end, in milliseconds. */
  ms: number
  /** The most memory that a process of its was seen to have, in MiB. */
  mb: number
}

/** A copy of a bundled model's folder, changed. */
export function changedFolder(world: World, change: Change): string {
  const folder = world.folder()
  cpSync(MODEL, folder, { recursive: true })
  change(folder)
  return folder
}

/**
 * Starts the service with a folder that it has to refuse: never ready, one line that tells, exit code 1.
 * @param named What the line has to name.
 * @param env Variables on top of the folder's.
 */
export async function refusesToStart(
  world: World,
  folder: string,
  named: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Refusal> {
  const start = performance.now()
  const service = await world.startDoomed({ CROPPER_MODEL: folder, GRAPH_CACHE_DIR: 'off', ...env })
  let [wasReady, mb] = [false, 0]
  while (service.ended === null) {
    wasReady ||= (await service.get('/health/ready')).status === 200
    for (const pid of children(service.pid)) mb = Math.max(mb, memoryMb(pid, 'VmHWM'))
    await sleep(POLL_MS)
  }
  const ms = performance.now() - start
  assert.equal(await service.exit, 1)
  assert.equal(wasReady, false, 'it said that it was ready')
  const fatal = service.lines.filter(({ level }) => level === 60)
  assert.equal(fatal.length, 1, `lines that tell: ${service.log.slice(-300)}`)
  const message = String(fatal[0]?.msg)
  assert.ok(message.includes(named), `the file is not named: ${message}`)
  return { message, ms, mb }
}
