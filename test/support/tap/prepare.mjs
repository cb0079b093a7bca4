/**
 * Transpiles in one process all that the tests import, so that a clean checkout does not load TypeScript in each of some
 * hundred test processes: `node` it before all of them are run, as `npm run test:ts` does.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transpiled } from './transpiled.mjs'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))

for (const folder of ['src', 'bench', 'fuzz', 'test'])
  for (const { name, parentPath } of readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    if (/(?<!\.d)\.ts$/.test(name)) await transpiled(join(parentPath, name))
