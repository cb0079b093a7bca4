/**
 * A C library beside the system's, for the fuzzers alone. The binary of Jazzer.js 4.0.0 for Linux needs glibc 2.38, and Debian
 * 12 has 2.36. This can go when the project's machines have Debian 13.
 */
import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { CliError, EXIT } from '../../src/cli/command.js'
import { CACHE } from '../root.js'

/** The Debian that it is taken from, and node's libraries there. */
const SUITE = 'trixie'
const PACKAGES = ['libc6', 'libstdc++6', 'libgcc-s1']
const MULTIARCH: Readonly<Record<string, readonly [folder: string, loader: string]>> = {
  x64: ['x86_64-linux-gnu', 'ld-linux-x86-64.so.2'],
  arm64: ['aarch64-linux-gnu', 'ld-linux-aarch64.so.1'],
}
const ADVICE =
  'Fuzz on a system with glibc 2.38 or newer (Debian 13, Ubuntu 24.04), or on Debian 12 with apt, which fetches one.'

/**
 * The command that runs a program with the newer library. apt fetches its packages from the mirror that the system is set up
 * with, and checks them by Debian's signed lists.
 * @throws CliError failed, with what is missing
 */
export async function newerGlibc(say: (line: string) => void): Promise<[program: string, ...args: string[]]> {
  const [folder, loader] = MULTIARCH[process.arch] ?? []
  if (folder === undefined) throw tooOld(`for ${process.arch} none is known`)
  const root = `${CACHE}/glibc`
  const libraries = `${root}/usr/lib/${folder}`
  if (!existsSync(`${libraries}/${loader}`)) {
    say(`fetching the C library of Debian ${SUITE} into fuzz/.cache/glibc`)
    mkdirSync(CACHE, { recursive: true })
    const scratch = mkdtempSync(`${CACHE}/glibc.`)
    try {
      fetchInto(scratch)
      rmSync(root, { recursive: true, force: true })
      renameSync(`${scratch}/root`, root)
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  }
  return [`${libraries}/${loader}`, '--library-path', libraries]
}

function fetchInto(scratch: string): void {
  const mirror = mirrorOf(run('apt-get', ['indextargets', '--format', '$(RELEASE) $(REPO_URI)']), codename())
  if (mirror === null) throw tooOld("apt's sources name no mirror of Debian")
  for (const dir of ['lists/partial', 'cache/archives/partial', 'state', 'debs'])
    mkdirSync(`${scratch}/${dir}`, { recursive: true })
  writeFileSync(`${scratch}/status`, '')
  writeFileSync(`${scratch}/debian.sources`, sourcesText(mirror))
  writeFileSync(`${scratch}/apt.conf`, aptConfig(scratch))
  const env = { ...process.env, APT_CONFIG: `${scratch}/apt.conf` }
  run('apt-get', ['update', '-qq'], { env })
  run('apt-get', ['download', '-qq', ...PACKAGES], { env, cwd: `${scratch}/debs` })
  for (const deb of readdirSync(`${scratch}/debs`)) run('dpkg-deb', ['-x', `${scratch}/debs/${deb}`, `${scratch}/root`])
}

/** The mirror of the system's own release, in lines of release and address; null where there is none. */
export function mirrorOf(targets: string, release: string | null): string | null {
  const lines = targets.split('\n').map(line => line.split(' '))
  return lines.find(([of]) => release !== null && of === release)?.[1] ?? null
}

function sourcesText(mirror: string): string {
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  return `Types: deb\nURIs: ${mirror}\nSuites: ${SUITE}\nComponents: main\nSigned-By: ${keyring}\n`
}

/** Keeps all that apt reads and writes apart from the system's. */
function aptConfig(dir: string): string {
  return [
    `Dir::State "${dir}/state";`,
    `Dir::State::status "${dir}/status";`,
    `Dir::State::lists "${dir}/lists";`,
    `Dir::Cache "${dir}/cache";`,
    `Dir::Etc::sourcelist "${dir}/debian.sources";`,
    'Dir::Etc::sourceparts "-";',
    'Acquire::Languages "none";',
    'APT::Sandbox::User "root";',
  ].join('\n')
}

function codename(): string | null {
  const about = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return /^ID=debian$/m.test(about) ? (/^VERSION_CODENAME=(\w+)$/m.exec(about)?.[1] ?? null) : null
}

function run(program: string, args: string[], options: { env?: NodeJS.ProcessEnv; cwd?: string } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { ...options, encoding: 'utf8' })
  if (status === 0) return stdout
  throw tooOld(`\`${program} ${args[0]}\` failed: ${error?.message ?? stderr.trim()}`)
}

function tooOld(why: string): CliError {
  return new CliError(
    EXIT.failed,
    `This system's C library is too old for the binary of Jazzer.js, and a newer one cannot be fetched: ${why}. ${ADVICE}`,
  )
}
