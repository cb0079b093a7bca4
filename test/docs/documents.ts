/** The documents that people read, and what is in them. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Document {
  /** From the repository's root. */
  path: string
  text: string
}

/** Every page of Markdown of the repository, but what is written for a test. */
export function documents(): Document[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  const paths = listed
    .split('\n')
    .filter(path => path !== '' && !path.startsWith('test/') && existsSync(join(ROOT, path)))
  return paths.map(path => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

export interface Block {
  language: string
  code: string
  /** Path and line, for messages. */
  at: string
}

/** The fenced blocks of code of a page. */
export function blocks({ path, text }: Document): Block[] {
  return [...text.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    language,
    code,
    at: `${path}:${text.slice(0, index).split('\n').length}`,
  }))
}
