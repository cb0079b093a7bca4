/** That a process did not keep what it refused. */
import assert from 'node:assert/strict'
import { memoryMb } from './proc.js'

/** What a process may take for something that it does not want, in MiB. */
const MAX_MB = 100

/** @param before MiB that the process had. @returns what it has taken since. @throws AssertionError */
export function frugal(pid: number, before: number): string {
  const mb = Math.round(memoryMb(pid) - before)
  assert.ok(mb < MAX_MB, `process ${pid} took ${mb} MiB`)
  return `${mb} MiB taken`
}
