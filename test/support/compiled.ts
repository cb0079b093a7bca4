import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

/**
 * Compiles the service as `npm start` does, so that a test which starts it in processes of its own does not wait for a
 * compiler in each. Types are checked elsewhere.
 * @param name Of the calling test: test files run side by side, each with a folder of its own under `.build/`.
 * @returns the folder with `main.js`
 */
export function compile(name: string): string {
  const project = resolve(root, '.build', name)
  const folder = resolve(project, 'dist')
  mkdirSync(project, { recursive: true })
  // the service reads its version there
  copyFileSync(resolve(root, 'package.json'), resolve(project, 'package.json'))
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const options = ['-p', resolve(root, 'tsconfig.build.json'), '--noCheck', '--outDir', folder]
  execFileSync(process.execPath, [tsc, ...options], { stdio: 'inherit' })
  return folder
}
