/** Node's hooks for modules in TypeScript. What was transpiled is kept in `.tap/transpiled/`. */
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

/** A module is imported by the name that it has once it is compiled. */
export function resolve(specifier, context, next) {
  return next(isOurs(specifier, context) ? specifier.replace(COMPILED, '.ts') : specifier, context)
}

const COMPILED = /\.js(?=\?|$)/

function isOurs(specifier, { parentURL }) {
  if (!/^(\.{1,2}\/|file:)/.test(specifier) || !COMPILED.test(specifier)) return false
  const source = new URL(specifier.replace(COMPILED, '.ts'), parentURL)
  return !source.pathname.includes('/node_modules/') && existsSync(source)
}

export async function load(url, context, next) {
  if (!/^file:[^?]*\.ts(\?|$)/.test(url)) return next(url, context)
  const file = fileURLToPath(url)
  const text = readFileSync(file, 'utf8')
  const madeFrom = `// ${sha256(`${settings}\n${text}`)}\n`
  const kept = KEPT + sha256(file)
  if (existsSync(kept)) {
    const source = readFileSync(kept, 'utf8')
    if (source.endsWith(madeFrom)) return { format: 'module', source, shortCircuit: true }
  }
  const { default: ts } = await import('typescript')
  const source = `${ts.transpile(text, OPTIONS, file)}\n${madeFrom}`
  write(kept, source)
  return { format: 'module', source, shortCircuit: true }
}

/** Appears whole: other processes may read it at the same time. */
function write(file, text) {
  const unfinished = `${file}.${process.pid}`
  mkdirSync(KEPT, { recursive: true })
  writeFileSync(unfinished, text)
  renameSync(unfinished, file)
}
