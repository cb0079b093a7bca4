/**
 * What the compiler leaves to do in dist/: the page at `/` is copied beside the compiled service, since its modules are served
 * as they are written (`npm run typecheck` checks their types), and the command becomes a program, so that `npx cropvlm` runs it.
 */
import { chmodSync, cpSync, existsSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

// what was taken out of src/page/ is not to be served any more
rmSync(at('dist/page'), { recursive: true, force: true })
cpSync(at('src/page'), at('dist/page'), { recursive: true })
if (existsSync(at('dist/cli/main.js'))) chmodSync(at('dist/cli/main.js'), 0o755)
