import { readFileSync } from 'node:fs'

/** The values of a file that holds one JSON value a line. */
export function readJsonLines<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as T)
}
