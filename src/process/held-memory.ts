import { statusBytes } from './proc-status.js'

/**
 * Bytes of memory that a process holds for itself: resident or swapped out, without the pages of files, which it shares with
 * others and which the system takes back where memory runs short. Memory of a GPU does not count. null where the system does
 * not tell (only Linux does), or where there is no such process.
 */
export function heldBytes(pid: number): number | null {
  const [own, shared, swapped] = statusBytes(pid, 'RssAnon', 'RssShmem', 'VmSwap')
  return own == null || shared == null ? null : own + shared + (swapped ?? 0)
}
