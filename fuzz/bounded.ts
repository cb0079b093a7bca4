/** Holds a target to its bounds of time and memory. */
import type { Target } from './target.js'

/** Most that an input may add to the largest amount of memory that this process has had, in KiB. */
const MAX_GROWTH_KB = 256 * 1024
/** What takes too long is tried again: the compiler and the garbage collector run at times of their own. */
const TRIES = 3

/** An input that is read too slowly, or takes too much memory. */
export class OverBounds extends Error {
  override readonly name = 'OverBounds'
}

/** @throws OverBounds, and what the target throws */
export function bounded(target: Target, input: Buffer): void | Promise<void> {
  const before = process.resourceUsage()
  // the bytes are the fuzzer's own, and a target may write into what it is given
  const running = target.run(Buffer.from(input))
  if (running === undefined) {
    if (isOver(target, before)) again(target, input)
    return undefined
  }
  return running.then(() => (isOver(target, before) ? againLater(target, input) : undefined))
}

function again(target: Target, input: Buffer): void {
  const times = Array.from({ length: TRIES }, () => {
    const before = process.resourceUsage()
    target.run(Buffer.from(input))
    return msSince(before)
  })
  check(target, times)
}

async function againLater(target: Target, input: Buffer): Promise<void> {
  const times: number[] = []
  for (let i = 0; i < TRIES; i++) {
    const before = process.resourceUsage()
    await target.run(Buffer.from(input))
    times.push(msSince(before))
  }
  check(target, times)
}

function check({ maxMs }: Target, times: readonly number[]): void {
  const least = Math.min(...times)
  if (least > maxMs) throw new OverBounds(`took ${Math.round(least)} ms of CPU time; at most ${maxMs} are allowed`)
}

/** Whether the time is to be measured again. @throws OverBounds for the memory, which does not shrink again */
function isOver(target: Target, before: NodeJS.ResourceUsage): boolean {
  const grown = process.resourceUsage().maxRSS - before.maxRSS
  if (grown > MAX_GROWTH_KB)
    throw new OverBounds(`took ${Math.round(grown / 1024)} MiB of memory; at most ${MAX_GROWTH_KB / 1024} are allowed`)
  return msSince(before) > target.maxMs
}

/** Milliseconds of CPU time of this process, which other processes of the machine do not lengthen. */
function msSince(before: NodeJS.ResourceUsage): number {
  const now = process.resourceUsage()
  return (now.userCPUTime - before.userCPUTime + now.systemCPUTime - before.systemCPUTime) / 1000
}
