/** Starts the compiled service as a user would, and tells its processes. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startService } from '../src/cli/eval/service.js'
import { ROOT } from './root.js'
import { children } from './system/proc.js'

/** What `npm run build` makes. */
const MAIN = join(ROOT, 'dist/main.js')

/** The settings that choose the bundled models; without them the service runs the text cropper and the text reader. */
export const BUNDLED_MODELS = {
  CROPPER_MODEL: join(ROOT, 'models/cropvlm-mini'),
  LOCAL_TARGET_MODEL: join(ROOT, 'models/smolvlm-mini'),
}

export interface BenchService {
  url: string
  /** The HTTP process. */
  pid: number
  /** The engine processes of this moment. */
  engines(): number[]
  stop(): Promise<void>
}

/** A cropper to measure. */
export interface BenchModel {
  folder: string
  precision: string
  /** `EXECUTION_PROVIDER`. */
  device: string
}

/**
 * Starts the service with this cropper, beside the bundled target.
 * @param settings On top of these.
 */
export function startModel(
  { folder, precision, device }: BenchModel,
  settings: Record<string, string> = {},
): Promise<BenchService> {
  return startBenchService({
    ...BUNDLED_MODELS,
    CROPPER_MODEL: folder,
    MODEL_PRECISION: precision,
    EXECUTION_PROVIDER: device,
    // a box at 2048 on a busy machine
    REQUEST_TIMEOUT_MS: '600000',
    ...settings,
  })
}

/**
 * Starts the service, and waits until a model has answered.
 * @param env On top of ours.
 * @param main The program to run.
 * @param log Descriptor of a file that its log goes to; stderr by default.
 */
export async function startBenchService(env: Record<string, string>, main = MAIN, log = 2): Promise<BenchService> {
  if (!existsSync(main)) throw new Error(`${main} is absent; \`npm run bench\` builds it`)
  const before = new Set(children(process.pid))
  const { url, stop } = await startService({ ...process.env, ...libraries(), API_KEY: '', ...env }, main, log)
  // the services are started one after the other: the new child is this one
  const [pid = 0] = children(process.pid).filter(child => !before.has(child))
  running.add(pid)
  return {
    url,
    pid,
    engines: () => children(pid),
    stop: async () => {
      running.delete(pid)
      await stop()
    },
  }
}

/** Services that have not been stopped: they end with this process, one that is interrupted too. */
const running = new Set<number>()

process.once('exit', () => {
  for (const pid of running)
    try {
      process.kill(pid)
    } catch {
      // it has ended by itself
    }
})
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

/** CUDA libraries for the service alone (`gpu.sh`): PyTorch beside it brings others of the same names. */
function libraries(): Record<string, string> {
  const { BENCH_LIBRARY_PATH: path, LD_LIBRARY_PATH: others } = process.env
  return path ? { LD_LIBRARY_PATH: others ? `${path}:${others}` : path } : {}
}
