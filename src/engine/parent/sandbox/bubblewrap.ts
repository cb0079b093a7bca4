/** The command that starts a program in a sandbox of bubblewrap (`bwrap`), which works on Linux alone. */
import { existsSync, readdirSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, join, sep } from 'node:path'

export interface Access {
  /** Paths that are read, where they lie in a folder that is hidden. */
  readable: readonly string[]
  /** Folders that are written. One that is not there is left out. */
  writable: readonly string[]
  /** Whether the graphics cards may be used. */
  gpu: boolean
}

/**
 * Folders that are empty inside, since other programs' sockets and temporary files are there: who may write to a socket
 * reaches the program behind it. `/tmp` can be written (libvips puts large images there), and goes with the process.
 */
const HIDDEN = ['/tmp', '/run', '/dev/shm']

/** What root may write although nothing else of /proc is given. */
const KERNEL_SETTINGS = ['/proc/sys', '/proc/sysrq-trigger', '/proc/irq', '/proc/bus']

/** Graphics cards: those of NVIDIA, and that of Windows below WSL. */
const GPU = /^(nvidia.*|dxg)$/

/**
 * The command to which a program and its arguments are added. Inside, the program has a network of its own with nothing in
 * it, sees no process but its own, has no capability and no way to gain one, and reads every file that this user may read,
 * those in `HIDDEN` excepted; it can write to `writable` and to folders that go with it. It ends with this process.
 * Open descriptors, the environment and the working folder stay, and the exit code is that of the program, 128 and the
 * signal's number where one killed it.
 */
export function bubblewrap({ readable, writable, gpu }: Access): string[] {
  const kept = new Set(readable.flatMap(path => [path, real(path)]).flatMap(keptFolder))
  const written = [...writable, ...(gpu ? [join(homedir(), '.nv')] : [])].map(real)
  return [
    // A service manager sends SIGTERM to all processes of a service, and bwrap would die of it at once, and take along the
    // engine, which has requests to finish. A signal that is ignored stays so in the program that takes the shell's place;
    // Node, which comes after it, takes up its own handling.
    ...['/bin/sh', '-c', `trap '' INT TERM HUP; exec "$0" "$@"`],
    ...['bwrap', '--unshare-all', '--cap-drop', 'ALL', '--die-with-parent'],
    ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc'],
    ...KERNEL_SETTINGS.flatMap(path => ['--ro-bind-try', path, path]),
    ...HIDDEN.filter(path => existsSync(path)).flatMap(path => ['--tmpfs', path]),
    ...[...kept].flatMap(path => ['--ro-bind-try', path, path]),
    ...written.flatMap(path => ['--bind-try', path, path]),
    ...(gpu ? graphicsCards().flatMap(path => ['--dev-bind', path, path]) : []),
    ...['--setenv', 'TMPDIR', '/tmp', '--'],
  ]
}

/** The first folder or file below a hidden folder on the way to a path; none where the path is not in one. */
function keptFolder(path: string): string[] {
  const hidden = HIDDEN.find(folder => path.startsWith(folder + sep))
  if (hidden === undefined) return []
  let first = path
  while (dirname(first) !== hidden) first = dirname(first)
  return basename(first) === '' ? [] : [first]
}

/** The path without links, which bwrap does not follow in all places; as it is where there is no such file. */
function real(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** The devices of graphics cards that may compute. */
export function graphicsCards(): string[] {
  return readdirSync('/dev')
    .filter(name => GPU.test(name))
    .map(name => join('/dev', name))
}
