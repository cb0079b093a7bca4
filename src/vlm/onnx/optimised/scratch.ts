/** The folders that entries of the graph cache are written in, before they are renamed to the entry's own name. */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'

/** A folder that is older was left behind, whoever made it: an entry takes seconds, and a start at most minutes. */
const ABANDONED_MS = 3_600_000
/** After the entry's own name: the process that writes it, and its machine or container, as several may share the cache. */
const NAME = /^[0-9a-f]{64}-.+-[0-9a-f]{12}\.(?:(\d+)@(.+)\.)?\w{6}$/

/** Makes one. */
export async function scratchFolder(entry: string): Promise<string> {
  return await mkdtemp(`${entry}.${process.pid}@${hostname()}.`)
}

/** Removes what processes left behind that have ended. To be called before this process makes any. */
export async function removeAbandoned(dir: string): Promise<void> {
  for (const name of await readdir(dir).catch(() => [])) {
    const [match, pid, host] = NAME.exec(name) ?? []
    if (match === undefined) continue
    const path = join(dir, name)
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }))
    const isOurs = host === hostname() && !isAlive(Number(pid))
    // another process may remove it at the same time
    if (isOurs || mtimeMs < Date.now() - ABANDONED_MS) await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}

/** Whether another process has this number. This process has made no folder yet: its number is that of one before it. */
function isAlive(pid: number): boolean {
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
