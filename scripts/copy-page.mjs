/**
 * Copies the page at `/` beside the compiled service: src/page/ to dist/page/. Its modules are served as they are written,
 * so that there is nothing to compile; `npm run typecheck` checks their types.
 */
import { cpSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = path => fileURLToPath(new URL(`../${path}`, import.meta.url))

// what was taken out of src/page/ is not to be served any more
rmSync(at('dist/page'), { recursive: true, force: true })
cpSync(at('src/page'), at('dist/page'), { recursive: true })
