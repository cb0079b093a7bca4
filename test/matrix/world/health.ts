/** Whether a fault has hurt what it should not: the next answers, the processes, their descriptors and their memory. */
import assert from 'node:assert/strict'
import type { Client } from './client.js'
import { assertAnswered } from './expect.js'
import { page } from './pictures/page.js'
import { descriptors, engineProcesses, isAlive, memoryMb } from './proc.js'
import { until } from './until.js'

export interface Health {
  /** The box of a good request. */
  readonly box: string
  readonly engines: readonly number[]
  readonly descriptors: Sizes
  readonly memoryMb: Sizes
}

/** Of the HTTP process, and of all engine processes together. */
interface Sizes {
  readonly http: number
  readonly engine: number
}

interface Examined extends Client {
  readonly pid: number
}

/** What a row may leave behind in memory at most: caches that it filled, and what the allocator keeps. */
const MAX_GROWTH_MB: Sizes = { http: 150, engine: 600 }
/** How long what is left of a row, such as a connection that its client has closed, may take to go. */
const SETTLE_MS = 120_000

export async function healthOf(service: Examined): Promise<Health> {
  const image = await page('png')
  let reply = await service.crop(image)
  // a queue that a row has filled may have to empty first
  await until(async () => {
    if (reply.status !== 200) reply = await service.crop(image)
    return reply.status === 200
  }, SETTLE_MS)
  assertAnswered(reply)
  const engines = engineProcesses(service.pid)
  return {
    box: String(reply.body.bbox),
    engines,
    descriptors: { http: descriptors(service.pid), engine: sum(engines, descriptors) },
    memoryMb: { http: memoryMb(service.pid), engine: sum(engines, pid => memoryMb(pid)) },
  }
}

/**
 * @param engineEnded Whether the row ended an engine process, whose place another has taken by now.
 * @param boundsMemory Whether the growth of its memory is asserted, and not only shown: that depends on the machine too.
 * @returns what a reader of the table may want to know of it
 * @throws AssertionError
 */
export async function assertUnhurt(
  service: Examined,
  before: Health,
  { engineEnded, boundsMemory }: { engineEnded: boolean; boundsMemory: boolean },
): Promise<string> {
  assert.ok(isAlive(service.pid), 'the HTTP process is gone')
  const after = await healthOf(service)
  assert.equal(after.box, before.box, 'a good request now gets another box')
  if (engineEnded) assert.equal(after.engines.length, before.engines.length, 'there are not as many engine processes')
  else assert.deepEqual(after.engines, before.engines, 'the engine processes are others')
  let left = after
  await until(() => {
    left = { ...after, descriptors: count(service.pid, after.engines) }
    return fewer(left.descriptors, before.descriptors)
  }, SETTLE_MS)
  const [http, engine] = (['http', 'engine'] as const).map(process => {
    const [was, is] = [before.descriptors[process], left.descriptors[process]]
    assert.ok(is <= was, `the ${process} process has ${is} descriptors open, and had ${was}`)
    const grown = after.memoryMb[process] - before.memoryMb[process]
    assert.ok(
      !boundsMemory || grown < MAX_GROWTH_MB[process],
      `the ${process} process has grown by ${Math.round(grown)} MiB`,
    )
    return Math.round(grown)
  })
  return `${signed(http)} and ${signed(engine)} MiB`
}

function count(pid: number, engines: readonly number[]): Sizes {
  return { http: descriptors(pid), engine: sum(engines, descriptors) }
}

function fewer(some: Sizes, others: Sizes): boolean {
  return some.http <= others.http && some.engine <= others.engine
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0)
}

function signed(value = 0): string {
  return value < 0 ? `${value}` : `+${value}`
}
