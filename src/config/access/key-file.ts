/** Files that hold keys, as secrets are mounted into containers: one key a line, comments after #. */
import { statSync } from 'node:fs'
import { readBoundedSync, UnfitFile } from '../bounded-file.js'

/** What is wrong with a file is a sentence that says what to do about it; no key is part of it. */
export type KeyFile = { keys: readonly [string, ...string[]]; warning: string | null } | { problem: string }

/** More than ten thousand keys. */
const MAX_BYTES = 1024 * 1024

/** @param variable Which names the file. */
export function readKeyFile(variable: string, path: string): KeyFile {
  const is = `${variable} is ${JSON.stringify(path)}`
  try {
    const [first, ...others] = keysIn(readBoundedSync(path, MAX_BYTES).toString())
    if (first === undefined)
      return {
        problem: `${is}, which holds no key; write one a line (what follows a # at its beginning is a comment).`,
      }
    return { keys: [first, ...others], warning: warningOf(is, path) }
  } catch (error) {
    if (error instanceof UnfitFile && error.code !== 'EISDIR')
      return { problem: `${is}, which ${error.message}; give the path of a file with a key a line.` }
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable'
    return { problem: `${is}, which cannot be read (${code}); ${remedyOf(code)}.` }
  }
}

/** The only key of a file. */
export function readSingleKey(
  variable: string,
  path: string,
): { key: string; warning: string | null } | { problem: string } {
  const file = readKeyFile(variable, path)
  if ('problem' in file) return file
  const { keys, warning } = file
  if (keys.length === 1) return { key: keys[0], warning }
  return {
    problem: `${variable} is ${JSON.stringify(path)}, which holds ${keys.length} keys; leave the one that is to be sent.`,
  }
}

/** A mark that some editors put at the beginning is no part of a key. */
function keysIn(text: string): string[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  return lines.map(line => line.trim()).filter(line => line !== '' && !line.startsWith('#'))
}

function remedyOf(code: string): string {
  switch (code) {
    case 'ENOENT':
      return 'there is no such file: give the path of one with a key a line, or mount the secret there'
    case 'EACCES':
    case 'EPERM':
      return `let the user of this service read it${process.getuid ? ` (its id is ${process.getuid()})` : ''}`
    case 'EISDIR':
      return 'it is a folder: give the path of the file in it'
    default:
      return 'give the path of a file with a key a line'
  }
}

const READABLE_BY_OTHERS = 0o004

function warningOf(is: string, path: string): string | null {
  // Windows keeps no such bits
  if (process.platform === 'win32' || (statSync(path).mode & READABLE_BY_OTHERS) === 0) return null
  return `${is}, which every user of this machine may read; chmod o-r it (in Kubernetes, set defaultMode: 0400 of the volume).`
}
