/** Keeps two runs from writing to one output. */
import { readFileSync } from 'node:fs'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { CliError, EXIT } from '../../command.js'

export interface Lock {
  release(): Promise<void>
}

/**
 * Each run puts a file of its own beside the output, whose name says which process it is, and then looks for files of
 * others. So no file ever changes hands, and that of a dead process can be removed by anybody. Two runs that begin at the
 * same moment may both be refused.
 * @param file The output, as an absolute path without links.
 * @throws CliError failed: another run writes to it, or may: one on another machine cannot be looked at
 */
export async function lock(file: string): Promise<Lock> {
  const host = encodeURIComponent(hostname())
  const own = `${basename(file)}.${host}.${process.pid}.${startedAt(process.pid) ?? 'unknown'}.lock`
  const path = join(dirname(file), own)
  try {
    await writeFile(path, '', { flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw held(file, own, `process ${process.pid}`)
    throw new CliError(EXIT.failed, `${path} cannot be written: ${(error as Error).message}`, error)
  }
  const release = () => rm(path, { force: true })
  try {
    await refuseOthers(file, own, host)
  } catch (error) {
    await release()
    throw error
  }
  return { release }
}

async function refuseOthers(file: string, own: string, host: string): Promise<void> {
  const begin = `${basename(file)}.`
  for (const name of await readdir(dirname(file))) {
    if (name === own || !name.startsWith(begin)) continue
    const [, itsHost, pid, start] = /^(.+)\.(\d+)\.(\d+|unknown)\.lock$/.exec(name.slice(begin.length)) ?? []
    if (itsHost === undefined || pid === undefined) continue
    if (itsHost !== host) throw held(file, name, `a process on ${decodeURIComponent(itsHost)}`)
    if (isAlive(Number(pid), start ?? '')) throw held(file, name, `process ${pid}`)
    await rm(join(dirname(file), name), { force: true })
  }
}

function held(file: string, name: string, who: string): CliError {
  return new CliError(
    EXIT.failed,
    `${who} writes to ${file}. Wait for it, or give another --out. If it does not run any more, remove ${join(dirname(file), name)}.`,
  )
}

/** A process of this machine. Its number may have been given to another one since, which started at another time. */
function isAlive(pid: number, start: string): boolean {
  const now = startedAt(pid)
  if (now !== null && start !== 'unknown') return now === start
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** When a process started, in the kernel's ticks; null where it does not run, or where the system does not tell (no Linux). */
function startedAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // the second field is the program's name, in parentheses, which may hold spaces; the start is the 22nd
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    return null
  }
}
