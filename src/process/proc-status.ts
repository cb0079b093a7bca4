import { readFileSync } from 'node:fs'

const KIB = 1024

/** Bytes that `/proc/PID/status` has under these names, in order; null for each that it has not: not Linux, or no such process. */
export function statusBytes(pid: number, ...names: readonly string[]): (number | null)[] {
  const status = read(`/proc/${pid}/status`)
  return names.map(name => {
    const kib = new RegExp(`^${name}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]
    return kib === undefined ? null : Number(kib) * KIB
  })
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
