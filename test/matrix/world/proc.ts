/** What Linux's /proc tells of running processes. */
import { readdirSync, readFileSync } from 'node:fs'
import { children } from '../../../bench/system/proc.js'

/** The engine processes of a service. */
export function engineProcesses(pid: number): number[] {
  return children(pid)
    .filter(child => readText(`/proc/${child}/cmdline`).startsWith('cropvlm-engine'))
    .sort((a, b) => a - b)
}

/** Whether the process runs: one that has ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  const stat = readText(`/proc/${pid}/stat`)
  return stat !== '' && !/\) [ZX] /.test(stat)
}

/** How many files, sockets and pipes the process has open. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** A size of the process in MiB: resident (`VmRSS`), most so far (`VmHWM`), address space (`VmSize`). */
export function memoryMb(pid: number, what: 'VmRSS' | 'VmHWM' | 'VmSize' = 'VmRSS'): number {
  const [, kilobytes] = new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readText(`/proc/${pid}/status`)) ?? []
  return Number(kilobytes ?? 0) / 1024
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
