import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { type DownloadOptions, download, type OpenAt } from '../../../src/cli/hub/download.js'
import type { HubFile } from '../../../src/cli/hub/select.js'

const CONTENT = Buffer.alloc(300_000, 'content')

function fileOf(content: Buffer): HubFile {
  return {
    path: 'x.onnx',
    size: content.length,
    checksum: { kind: 'sha256', hex: createHash('sha256').update(content).digest('hex') },
  }
}

const options = (openAt: OpenAt, more: Partial<DownloadOptions> = {}): DownloadOptions => ({
  openAt,
  onProgress: () => {},
  onRetry: () => {},
  tries: 3,
  backoffMs: 1,
  stallMs: 60_000,
  ...more,
})

/** The content in pieces. */
const good: OpenAt = async (_file, start) =>
  (async function* () {
    for (let at = start; at < CONTENT.length; at += 10_000)
      yield CONTENT.subarray(at, Math.min(at + 10_000, CONTENT.length))
  })()

t.test('bytes that trickle count as none', async t => {
  const target = join(t.testdir(), 'x.onnx')
  const retries: string[] = []
  const trickle: OpenAt = async (_file, start, signal) =>
    (async function* () {
      for (let at = start; at < start + 1000; at++) {
        await turn()
        signal.throwIfAborted()
        yield CONTENT.subarray(at, at + 1)
      }
      // a listener added after the abort, which may come while the last byte is written, is never called
      signal.throwIfAborted()
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })()
  await t.rejects(
    download(fileOf(CONTENT), target, options(trickle, { stallMs: 100, onRetry: reason => retries.push(reason) })),
    { exitCode: 1, message: /broke off at \d+ of 300000 bytes \(\d+ bytes in 0\.1 s\)\. Run the same command again/ },
  )
  t.equal(retries.length, 2)
  await download(fileOf(CONTENT), target, options(good))
  t.ok(readFileSync(target).equals(CONTENT), 'and it goes on where they ended')
})

t.test('more bytes than the hub lists are not written', async t => {
  const target = join(t.testdir(), 'x.onnx')
  const endless: OpenAt = async () =>
    (async function* () {
      for (;;) yield Buffer.alloc(50_000)
    })()
  await t.rejects(download(fileOf(CONTENT), target, options(endless)), {
    exitCode: 1,
    message: 'x.onnx is longer than the 300000 bytes the hub lists.',
  })
  t.equal(statSync(`${target}.part`).size, CONTENT.length)
})

t.test('what is left of a reply is not waited for', async t => {
  const target = join(t.testdir(), 'x.onnx')
  const signals: AbortSignal[] = []
  const watched: OpenAt = (file, start, signal) => {
    signals.push(signal)
    return good(file, start, signal)
  }
  await download(fileOf(CONTENT), target, options(watched))
  t.same(
    signals.map(({ aborted }) => aborted),
    [true],
  )
})
