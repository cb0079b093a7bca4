/** What the engine is told when it starts. Plain data: part of it crosses to the engine process. */

import type { SandboxMode } from '../config/engine.js'
import type { Config, LocalTargetConfig } from '../config/service.js'
import type { ImageLimits } from '../image/limits.js'
import type { ProviderChoice } from '../vlm/onnx/providers.js'
import { inheritedExecArgv } from './exec-argv.js'
import { defaultMemoryLimit } from './memory-limit.js'
import { defaultThreads } from './threads.js'

/** A model folder to load. */
export interface ModelFolder {
  dir: string
  /** Suffix of the ONNX files; null: the folder's default. */
  precision: string | null
  /** Whether boxes will be asked for by attention: loading fails if the model does not give any. Default: false. */
  attention?: boolean
}

/** What the engine process needs to load and run models. */
export interface WorkerOptions {
  /** null: the engine finds no boxes itself. */
  cropper: ModelFolder | null
  /** Models that answer `GenerateJob`s; `name` is the job's `model`. */
  targets: readonly (ModelFolder & { name: string })[]
  /** Whether the text reader is loaded, for `ReadJob`s. */
  ocr: boolean
  executionProvider: ProviderChoice
  /** Threads of one model run. */
  threads: number
  /** Folder that keeps optimised graphs, for the CPU (`vlm/onnx/optimised/`); null: none are kept. */
  graphCacheDir: string | null
  /** Bytes of memory that this process, and one that optimises graphs, may hold each; null, the default: no limit. */
  memoryLimit?: number | null
  /** Most bytes that each model of a process keeps of images it was asked about; 0 keeps nothing. */
  prefixCacheBytes: number
  /** Whether each file's sha256 is compared with that in `cropvlm.json` when it is loaded. */
  verifyHashes: boolean
  /** Whether the box grammar masks the logits, so that every answer is a box. */
  constrained: boolean
  limits: ImageLimits
  /**
   * Whether each model answers once before the process is ready. Without, it is ready sooner, and the first job takes longer.
   * Default: true.
   */
  warmUp?: boolean
}

/** What the parent side needs to run the engine's processes. All times in milliseconds. */
export interface EngineOptions {
  worker: WorkerOptions
  /** Module that the engine process runs. */
  module: URL
  /** Node's own flags for it. */
  execArgv: readonly string[]
  /** Whether the processes run in a sandbox: `auto` where there can be one, `on` not without one, `off` never. */
  sandbox: SandboxMode
  /** The command that starts a program in the sandbox; left out where there is none. `startEngine` finds it. */
  sandboxCommand?: readonly string[]
  /** Jobs that may wait. */
  queueSize: number
  /** Engine processes. */
  processes: number
  /** Jobs an idle process is given at once; the others wait in the queue. null: what is best for the execution provider. */
  batchSize: number | null
  /** How long a job waits for others to make a batch with. */
  batchDelayMs: number
  restart: {
    /** The pause before the second restart in a row, doubling with each further one. The first restart is at once. */
    firstDelayMs: number
    maxDelayMs: number
  }
  /** How long loading and warming up may take before the process is killed. */
  startTimeoutMs: number
  /**
   * How long a process may be silent before it counts as hung and is killed; at least `RUNS_OF_SILENCE` times what the longest
   * run of its warm-up took.
   */
  heartbeatMs: number
  /** How long a job may go on after nobody waits for it any more, before the process counts as hung and is killed. */
  hangMs: number
  /** How long the process may take to leave when told to stop, before it is killed. */
  stopMs: number
}

/** What a cropper has the engine load. */
export type EngineNeeds = Pick<WorkerOptions, 'cropper' | 'ocr'>

/** The options of an engine that loads no model and only makes pictures, in one process. */
export function pictureEngineOptions(config: Config): EngineOptions {
  const options = engineOptions(config, { cropper: null, ocr: false })
  return { ...options, processes: 1, worker: { ...options.worker, targets: [], ocr: false } }
}

/** The engine's options under a configuration, with what the configured cropper needs. */
export function engineOptions(config: Config, { cropper, ocr }: EngineNeeds): EngineOptions {
  const locals = config.targets.filter((target): target is LocalTargetConfig => target.kind === 'local')
  return {
    worker: {
      cropper,
      targets: locals.map(({ name, dir, precision }) => ({ name, dir, precision })),
      ocr: ocr || config.targets.some(({ kind }) => kind === 'reader'),
      executionProvider: config.executionProvider,
      // the processes run at the same time and share the cores
      threads: config.threads ?? Math.max(1, Math.floor(defaultThreads() / config.engineProcesses)),
      graphCacheDir: config.graphCacheDir,
      memoryLimit: config.modelMemoryLimit ?? defaultMemoryLimit(),
      prefixCacheBytes: config.prefixCacheBytes,
      verifyHashes: true,
      constrained: config.constrainedDecoding,
      limits: { maxPixels: config.maxPixels, maxAspect: config.maxAspect },
    },
    module: new URL(`./child/main${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
    execArgv: [
      ...inheritedExecArgv(),
      // The large data of the process lies outside V8's heap. A small young generation, and one collection after loading,
      // save tens of megabytes.
      '--max-semi-space-size=2',
      '--expose-gc',
      // V8 counts that data all the same, and would collect the heap, 30 MB of which are a tokenizer, at almost every
      // question. With 128 instead of 64, garbage stays for so long that a process may hold 100 MB more.
      '--initial-old-space-size=64',
    ],
    sandbox: config.engineSandbox,
    queueSize: config.queueSize,
    processes: config.engineProcesses,
    batchSize: config.batchSize,
    batchDelayMs: config.batchDelayMs,
    restart: { firstDelayMs: 500, maxDelayMs: 30_000 },
    startTimeoutMs: 300_000,
    heartbeatMs: config.engineHeartbeatMs,
    hangMs: 15_000,
    stopMs: 5_000,
  }
}
