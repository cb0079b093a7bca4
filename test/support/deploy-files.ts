/** Reads the files of a deployment the way their programs would, as far as the checks in deploy.test.ts need. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export function readText(path: string): string {
  return readFileSync(`${ROOT}/${path}`, 'utf8')
}

/** A YAML 1.1 file as plain data, merge keys (`<<`) resolved, as Compose does. */
export function readYaml<T>(path: string): T {
  return parse(readText(path), { merge: true }) as T
}

export interface Instruction {
  /** `FROM`, `COPY`... */
  name: string
  /** The rest, continued lines joined. */
  text: string
}

export function readDockerfile(path: string): Instruction[] {
  const lines = readText(path)
    .split('\n')
    .filter(line => !/^\s*#/.test(line) && line.trim() !== '')
  return lines
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .map(line => ({ name: line.split(/\s/, 1)[0] ?? '', text: line.slice(line.search(/\s/)).trim() }))
}

/** Sources that COPY takes from the build context (not from another stage). */
export function copiedSources(instructions: readonly Instruction[]): string[] {
  const copies = instructions.filter(({ name, text }) => name === 'COPY' && !text.includes('--from='))
  return copies.flatMap(({ text }) => text.split(/\s+/).slice(0, -1))
}

/** What ENV sets, over all instructions. */
export function environment(instructions: readonly Instruction[]): Record<string, string> {
  const pairs = instructions.filter(({ name }) => name === 'ENV').flatMap(({ text }) => text.split(/\s+(?=\w+=)/))
  return Object.fromEntries(pairs.map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
}

/** Whether a path reaches the build: the last rule that matches it or a folder above it wins. */
export function reachesBuild(path: string, dockerignore: string): boolean {
  let kept = true
  for (const rule of dockerignore.split('\n').filter(line => line !== '' && !line.startsWith('#'))) {
    const negated = rule.startsWith('!')
    const pattern = negated ? rule.slice(1) : rule
    if (pattern === '*' || path === pattern || path.startsWith(`${pattern}/`)) kept = negated
  }
  return kept
}

export interface Query {
  metrics: string[]
  labels: string[]
}

/** The metrics and labels that a PromQL expression names. */
export function readQuery(expression: string): Query {
  const bare = expression.replace(/\$__\w+/g, '5m')
  const matchers = [...bare.matchAll(/\{([^{}]*)\}/g)].flatMap(([, inner = '']) => [
    ...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g),
  ])
  const grouped = [...bare.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, inner = '']) =>
    inner.split(',').map(name => name.trim()),
  )
  const outside = bare.replace(/\{[^{}]*\}|\[[^\]]*\]|\bby\s*\([^)]*\)/g, ' ')
  const metrics = [...outside.matchAll(/\b(?:cropvlm|nodejs|process)_\w+|\bup\b/g)].map(([name]) => name)
  return { metrics, labels: [...matchers.map(([, name = '']) => name), ...grouped] }
}
