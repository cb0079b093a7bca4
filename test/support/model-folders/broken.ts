/** A copy of a small model's folder, to be broken by a test. */
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Test } from 'tap'
import { readManifests } from '../../../src/vlm/folder/manifest.js'
import { MODELS } from '../goldens.js'

export type Json = { [key: string]: unknown }

export function copy(t: Test, to = t.testdir()) {
  mkdirSync(to, { recursive: true })
  cpSync(`${MODELS}tiny`, to, { recursive: true })
  const edit = (file: string, change: (json: Json) => Json) =>
    writeFileSync(`${to}/${file}`, JSON.stringify(change(JSON.parse(readFileSync(`${to}/${file}`, 'utf8')))))
  const read = (verifyHashes = true) => readManifests({ dir: to, role: 'cropper', precision: null, verifyHashes })
  /** Has `cropvlm.json` state the hashes of the files as they are now, as whoever changed them would. */
  const rehash = () =>
    edit('cropvlm.json', json => ({
      ...json,
      sha256: Object.fromEntries(Object.keys(json.sha256 as Json).map(file => [file, sum(`${to}/${file}`)])),
    }))
  return { dir: to, edit, read, rehash }
}

function sum(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** Asserts that a folder is refused for a reason, and that the error says what to do about it. */
export async function refused(t: Test, reading: Promise<unknown>, message: RegExp): Promise<void> {
  const error = await reading.then(
    () => null,
    (reason: unknown) => reason,
  )
  t.match(error, { code: 'invalid_model', message }, String(message))
  t.match(error, { message: /fetch or export the model again/i }, 'what to do')
}
