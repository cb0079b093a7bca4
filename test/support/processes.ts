import { readdirSync, readFileSync } from 'node:fs'

/** Resolves once there is no such process, or what is left of it only waits for its parent to notice. */
export async function gone(pid: number): Promise<void> {
  while (isThere(pid)) await new Promise(resolve => setTimeout(resolve, 20))
}

/** The processes that were started with this text in an argument. Linux alone. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name) && read(`/proc/${name}/cmdline`).includes(text))
    .map(Number)
}

function isThere(pid: number): boolean {
  const status = read(`/proc/${pid}/stat`)
  // the state follows the name, which may hold anything
  return status !== '' && !/^\) Z/.test(status.slice(status.lastIndexOf(')')))
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
