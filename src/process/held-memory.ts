import { readFileSync } from 'node:fs'

const KIB = 1024

/**
 * Bytes of memory that a process holds for itself: resident or swapped out, without the pages of files, which it shares with
 * others and which the system takes back where memory runs short. Memory of a GPU does not count. null where the system does
 * not tell (only Linux does), or where there is no such process.
 */
export function heldBytes(pid: number): number | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN)
    const held = kib('RssAnon') + kib('RssShmem') + (kib('VmSwap') || 0)
    return Number.isNaN(held) ? null : held * KIB
  } catch {
    return null
  }
}
