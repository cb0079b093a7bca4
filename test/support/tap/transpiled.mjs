/** JavaScript of the modules in TypeScript, kept in `.tap/transpiled/`. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const KEPT = fileURLToPath(new URL('../../../.tap/transpiled/', import.meta.url))
/** Types alone are taken away: `verbatimModuleSyntax` in tsconfig.json lets each file be read by itself. */
const OPTIONS = {
  target: 'es2023',
  module: 'esnext',
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
  inlineSources: true,
}

const sha256 = text => createHash('sha256').update(text).digest('hex')
const settings = JSON.stringify(OPTIONS)

/** The JavaScript of a file, which is transpiled where what is kept was made from another text. */
export async function transpiled(file) {
  const text = readFileSync(file, 'utf8')
  const madeFrom = `// ${sha256(`${settings}\n${text}`)}\n`
  const kept = KEPT + sha256(file)
  if (existsSync(kept)) {
    const source = readFileSync(kept, 'utf8')
    if (source.endsWith(madeFrom)) return source
  }
  // half a second, which a process that finds all of its files kept need not spend
  const { default: ts } = await import('typescript')
  const source = `${ts.transpile(text, OPTIONS, file)}\n${madeFrom}`
  write(kept, source)
  return source
}

/** Appears whole: other processes may read it at the same time. */
function write(file, text) {
  const unfinished = `${file}.${process.pid}`
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(unfinished, text)
  renameSync(unfinished, file)
}
