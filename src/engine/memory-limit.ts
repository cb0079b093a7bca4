import { totalmem } from 'node:os'

/** The share of the memory that is left to others: the HTTP process, caches of files, the system. */
const SHARE = 3 / 4

/**
 * Bytes that an engine process may hold where nobody says: a share of what the machine has, or the container may use (its
 * cgroup's limit, which is huge where there is none).
 */
export function defaultMemoryLimit(total = totalmem(), constrained = process.constrainedMemory()): number {
  const available = constrained > 0 ? Math.min(total, constrained) : total
  return Math.floor(available * SHARE)
}
