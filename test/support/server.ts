import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'

const tiny = resolve(import.meta.dirname, '../fixtures/models/tiny')

export interface Server {
  process: ChildProcess
  /** Log lines so far. */
  lines: Record<string, unknown>[]
  /** Resolves with the first log line that holds the text, now or later; rejects if the process ends without it. */
  line: (text: string) => Promise<Record<string, unknown>>
  /** Exit code, or the signal that ended it. */
  exit: Promise<number | string>
}

/**
 * The real service in its own process, on a free port and on the tiny model, killed with the test.
 * @param folder From `compiledService`.
 * @param openFiles Most files that it may have open at once; null: as many as this process may.
 */
export function startServer(
  t: Test,
  folder: string,
  env: Record<string, string> = {},
  openFiles: number | null = null,
): Server {
  const limit = openFiles === null ? '' : `ulimit -n ${openFiles}; `
  const command = `${limit}exec "$0" --enable-source-maps "$1"`
  const child = spawn('sh', ['-c', command, process.execPath, join(folder, 'main.js')], {
    env: {
      ...process.env,
      PORT: '0',
      CROPPER_MODEL: tiny,
      GRAPH_CACHE_DIR: 'off',
      // the same image again and again is to keep the engine at work
      PREFIX_CACHE_BYTES: '0',
      LOCAL_TARGET_MODEL: tiny,
      EXECUTION_PROVIDER: 'cpu',
      // what tests listen on is on this machine, whatever the proxies of its network
      NO_PROXY: '*',
      no_proxy: '*',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: Record<string, unknown>[] = []
  const reader = createInterface({ input: child.stdout })
  reader.on('line', line => lines.push(JSON.parse(line)))
  const exit = once(child, 'close').then(([code, signal]) => code ?? signal)
  const find = (text: string) => lines.find(line => JSON.stringify(line).includes(text))
  const line: Server['line'] = async text => {
    let ended = false
    void exit.then(() => {
      ended = true
    })
    for (;;) {
      const found = find(text)
      if (found) return found
      if (ended) throw new Error(`the server ended without "${text}" in its log: ${JSON.stringify(lines)}`)
      await Promise.race([once(reader, 'line'), exit])
    }
  }
  return { process: child, lines, line, exit }
}

/** Asks for a box. */
export async function postCrop(
  url: string,
  image: Uint8Array<ArrayBuffer>,
): Promise<{ status: number; body: unknown }> {
  const form = new FormData()
  form.set('question', 'What is the total?')
  form.set('image', new Blob([image]), 'page.png')
  const response = await fetch(`${url}/crop`, { method: 'POST', body: form })
  return { status: response.status, body: await response.json() }
}
