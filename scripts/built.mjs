/**
 * Sees to it that `dist/` is there before something of it is run. In a checkout with the devDependencies it compiles
 * `src/`, and copies the page. A package (`npm run package`) brings `dist/` and has no `src/`, and an installation with `--omit=dev` has no
 * compiler: both run the `dist/` that is there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const tsc = `${root}node_modules/typescript/bin/tsc`

if (existsSync(`${root}src`) && existsSync(tsc)) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { cwd: root, stdio: 'inherit' })
  process.exitCode = status ?? 1
  if (status === 0 && existsSync(`${root}src/page`)) await import('./after-compile.mjs')
} else if (!existsSync(`${root}dist/main.js`)) {
  console.error('There is no dist/ and no compiler to make it: run `npm install` without --omit=dev.')
  process.exitCode = 1
}
