import { readFileSync } from 'node:fs'

/**
 * Process id of the program that a bwrap process runs, as this process sees it: bwrap has one child, the first process of the
 * sandbox, and that one has the program. null before it has been started, and after its end.
 */
export function innerPid(bwrapPid: number): number | null {
  const first = firstChild(bwrapPid)
  return first === null ? null : firstChild(first)
}

function firstChild(pid: number): number | null {
  try {
    return Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10) || null
  } catch {
    return null
  }
}
