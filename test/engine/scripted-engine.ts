import { pino } from 'pino'
import type { Test } from 'tap'
import { type StartedEngine, startEngine } from '../../src/engine/client.js'
import type { EngineOptions } from '../../src/engine/options.js'
import type { CropJob } from '../../src/engine/protocol.js'

export interface ScriptedEngine {
  engine: StartedEngine
  /** Runs a script as a job: `run('slow 50')`; see `scripted-worker.mjs`. */
  run: (script: string, options?: { deadlineMs?: number; signal?: AbortSignal }) => Promise<string>
  /** Log lines so far. */
  lines: Record<string, unknown>[]
}

/** An engine on the scripted worker, closed with the test. @param start The worker's script for its start. */
export function scriptedEngine(t: Test, start = 'ready', options: Partial<EngineOptions> = {}): ScriptedEngine {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const engine = startEngine(
    {
      worker: {
        cropper: { dir: start, precision: null },
        targets: [],
        executionProvider: 'cpu',
        threads: null,
        verifyHashes: false,
        constrained: true,
        limits: { maxPixels: 1e6, maxAspect: 100 },
      },
      module: new URL('./scripted-worker.mjs', import.meta.url),
      execArgv: [],
      queueSize: 4,
      concurrency: 1,
      restart: { firstDelayMs: 50, maxDelayMs: 200 },
      startTimeoutMs: 120_000,
      hangMs: 120_000,
      stopMs: 5000,
      ...options,
    },
    log,
  )
  t.teardown(() => engine.close())
  const run: ScriptedEngine['run'] = async (script, { deadlineMs = 120_000, signal } = {}) => {
    const deadline = Date.now() + deadlineMs
    const result = await engine.run(scriptedJob(script), { signal: signal ?? new AbortController().signal, deadline })
    return result.raw
  }
  return { engine, run, lines }
}

/** Waits until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}

function scriptedJob(question: string): CropJob {
  const pictures = { crop: null, overlay: null, targetFull: null, targetCrop: null }
  return { kind: 'crop', image: new Uint8Array([1, 2, 3]), question, resolution: null, expand: 1, pictures }
}
