import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT } from './deploy-files.js'

const BUILDS = join(ROOT, '.build')
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']
const DAY_MS = 86_400_000
const POLL_MS = 50
/** A compilation takes seconds, so a lock that is older was left by a process that was killed. */
const LOCK_MS = 120_000

/**
 * The service compiled as `npm start` does, so that a test which starts it in processes of its own does not wait for a
 * compiler in each. All test files share one folder below `.build/`, named by a hash of the sources: the first of them
 * compiles and the others, which may run at the same time, wait for it. Types are checked by `npm run typecheck`.
 * @returns the folder with `main.js`
 */
export function compiledService(): string {
  const build = join(BUILDS, hashOfSources())
  const lock = `${build}.lock`
  mkdirSync(BUILDS, { recursive: true })
  while (!existsSync(build)) {
    if (!take(lock)) {
      if (ageOf(lock) > LOCK_MS) rmSync(lock, { recursive: true, force: true })
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_MS)
      continue
    }
    try {
      // another process may have finished between the two looks
      if (!existsSync(build)) compile(build)
    } finally {
      rmSync(lock, { recursive: true, force: true })
    }
  }
  return join(build, 'dist')
}

/** Compiles into a folder beside `build`, which then appears whole. */
function compile(build: string): void {
  const unfinished = `${build}.${process.pid}`
  mkdirSync(unfinished)
  // the service reads its version there
  copyFileSync(join(ROOT, 'package.json'), join(unfinished, 'package.json'))
  // and finds the bundled models there
  symlinkSync(join(ROOT, 'models'), join(unfinished, 'models'))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const options = [
    '-p',
    join(ROOT, 'tsconfig.build.json'),
    '--noCheck',
    '--declaration',
    'false',
    '--outDir',
    join(unfinished, 'dist'),
  ]
  execFileSync(process.execPath, [tsc, ...options], { stdio: 'inherit' })
  cpSync(join(ROOT, 'src/page'), join(unfinished, 'dist/page'), { recursive: true })
  renameSync(unfinished, build)
  for (const old of readdirSync(BUILDS))
    if (ageOf(join(BUILDS, old)) > DAY_MS) rmSync(join(BUILDS, old), { recursive: true, force: true })
}

/** Whether this process now holds the lock. */
function take(lock: string): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Milliseconds since a folder was made; 0 where it is not there. */
function ageOf(folder: string): number {
  return Date.now() - (statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
}

function hashOfSources(): string {
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
  const hash = createHash('sha256')
  for (const file of [...SETTINGS.map(name => join(ROOT, name)), ...sources.sort()])
    hash.update(file).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex').slice(0, 16)
}
