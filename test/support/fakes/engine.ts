import { pino } from 'pino'
import type { Test } from 'tap'
import type { StartedEngine } from '../../../src/engine/engine.js'
import type { EngineOptions } from '../../../src/engine/options.js'
import { startEngine } from '../../../src/engine/parent/client.js'
import type { LocateJob } from '../../../src/engine/protocol.js'

interface RunOptions {
  deadlineMs?: number
  signal?: AbortSignal
  /** Default: a few bytes, the same ones for all. */
  image?: Uint8Array
}

export interface ScriptedEngine {
  engine: StartedEngine
  /** Runs a script as a job: `run('slow 50')`; see `processes/worker.mjs`. */
  run: (script: string, options?: RunOptions) => Promise<string>
  /** The same: the process that ran it, and the jobs that it was given with. */
  trace: (script: string, options?: RunOptions) => Promise<{ pid: number; batch: number }>
  /** Log lines so far. */
  lines: Record<string, unknown>[]
}

/** What a process is told that has no model to load. */
export const NO_MODELS: EngineOptions['worker'] = {
  cropper: null,
  targets: [],
  ocr: false,
  executionProvider: 'cpu',
  threads: 1,
  graphCacheDir: null,
  verifyHashes: false,
  prefixCacheBytes: 0,
  constrained: true,
  limits: { maxPixels: 1e6, maxAspect: 100 },
}

type ScriptedOptions = Partial<Omit<EngineOptions, 'worker'>> & { worker?: Partial<EngineOptions['worker']> }

/** An engine on the scripted worker, closed with the test. @param start The worker's script for its start. */
export function scriptedEngine(t: Test, start = 'ready', { worker, ...options }: ScriptedOptions = {}): ScriptedEngine {
  const lines: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  const engine = startEngine(
    {
      worker: {
        ...NO_MODELS,
        cropper: { dir: start, precision: null },
        ...worker,
      },
      module: new URL('./processes/worker.mjs', import.meta.url),
      execArgv: [],
      sandbox: 'off',
      queueSize: 4,
      processes: 1,
      batchSize: 1,
      batchDelayMs: 0,
      restart: { firstDelayMs: 50, maxDelayMs: 200 },
      startTimeoutMs: 120_000,
      heartbeatMs: 120_000,
      hangMs: 120_000,
      stopMs: 5000,
      ...options,
    },
    log,
  )
  t.teardown(() => engine.close())
  const result = async (script: string, { deadlineMs = 120_000, signal, image }: RunOptions = {}) => {
    const deadline = Date.now() + deadlineMs
    const job = scriptedJob(script, image)
    return await engine.run(job, { signal: signal ?? new AbortController().signal, deadline })
  }
  const run: ScriptedEngine['run'] = async (...call) => (await result(...call)).boxes[0]?.raw ?? ''
  const trace: ScriptedEngine['trace'] = async (...call) => {
    const { model, boxes } = await result(...call)
    return { pid: Number(model.id), batch: boxes[0]?.cost.batch ?? 0 }
  }
  return { engine, run, trace, lines }
}

/** Waits until something is so. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}

function scriptedJob(question: string, image: Uint8Array = new Uint8Array([1, 2, 3])): LocateJob {
  return { kind: 'locate', image, questions: [question], resolution: null, keepPixels: false }
}
