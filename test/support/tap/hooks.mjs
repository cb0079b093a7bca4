/** Node's hooks for modules in TypeScript. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { transpiled } from './transpiled.mjs'

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
  return { format: 'module', source: await transpiled(fileURLToPath(url)), shortCircuit: true }
}
