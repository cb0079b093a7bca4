/**
 * The engine process. It loads its models when told to start, says ready once they have answered, then runs one job
 * after another. It may be killed at any time, because it keeps nothing that is needed later.
 */
import { constants, setPriority } from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { CropVlmError } from '../../errors.js'
import { READER_ID } from '../../ocr/page.js'
import { endWithParent } from '../../process/end-with-parent.js'
import type { OnStep } from '../../vlm/on-step.js'
import type { WorkerOptions } from '../options.js'
import type { EngineInfo, EngineReply, EngineRequest, ScriptMemory } from '../protocol.js'
import { ImageFiles } from './image-file.js'
import { runJobs } from './jobs.js'
import { childLog } from './log.js'
import { loadModels, type Models, warmUp } from './models.js'
import { type JobContext, type Outcome, settlingAll, type Task } from './task.js'

process.title = 'cropvlm-engine'
// before any thread is started: threads take the priority over
yieldToHttp()
// Ctrl-C reaches every process of the terminal; when to stop is the parent's decision
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
// the parent process has ended; where a run blocks this one, the thread ends it
process.on('disconnect', () => process.exit(0))
endWithParent()

/** Jobs accepted and not answered yet. */
const aborts = new Map<number, AbortController>()
let last: Promise<void> = Promise.resolve()
/** null until the models have been loaded. */
let context: JobContext | null = null

process.on('message', message => {
  const request = message as EngineRequest
  if (request.type === 'start') void start(request.options)
  else if (request.type === 'stop') process.exit(0)
  else if (request.type === 'ping') send({ type: 'pong', memory: scriptMemory() })
  else if (request.type === 'abort') aborts.get(request.id)?.abort()
  else {
    const tasks = request.jobs.map(({ id, job }) => {
      const abort = new AbortController()
      aborts.set(id, abort)
      return { id, job, signal: abort.signal }
    })
    last = last.then(() => answer(tasks))
  }
})

/** Lowers this process's priority: a model run takes all cores, and the HTTP process has to get one at once. */
function yieldToHttp(): void {
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  } catch (error) {
    childLog(
      'warn',
      {},
      `the engine's priority cannot be lowered (${(error as Error).message}): HTTP may lag under load`,
    )
  }
}

const onStep: OnStep = (doing, file, isTrial = false) => send({ type: 'step', doing, file, isTrial })

async function start(options: WorkerOptions): Promise<void> {
  try {
    const models = await loadModels(options, onStep)
    const longestRunMs = options.warmUp === false ? null : await longestBlock(() => warmUp(models, options, onStep))
    const { limits, constrained } = options
    context = { models, files: new ImageFiles(), limits, constrained }
    send({ type: 'ready', info: describe(models), longestRunMs })
  } catch (error) {
    if (!(error instanceof CropVlmError)) logFailure('loading the models failed', error)
    const coded =
      error instanceof CropVlmError
        ? error
        : new CropVlmError(
            'invalid_model',
            `Loading the models failed: ${error instanceof Error ? error.message : error}`,
          )
    process.send?.({ type: 'failed', error: coded.toWire() } satisfies EngineReply, () => process.exit(1))
  }
}

/** Runs `work`. @returns how long it blocked this process's event loop at most, in milliseconds */
async function longestBlock(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  await work()
  delay.disable()
  return delay.max / 1e6
}

async function answer(tasks: readonly AcceptedTask[]): Promise<void> {
  const settle = (task: Task, outcome: Outcome) => {
    const { id, signal } = task as AcceptedTask
    if (!aborts.delete(id)) return
    if (outcome.status === 'fulfilled') send({ type: 'result', id, result: outcome.value })
    else {
      const { reason } = outcome
      // nobody waits for an aborted job, so its failure is not logged
      if (!signal.aborted && !(reason instanceof CropVlmError)) logFailure('a job failed', reason)
      send({ type: 'error', id, error: CropVlmError.from(reason).toWire() })
    }
  }
  await settlingAll(tasks, settle, async () => {
    if (!context) throw new CropVlmError('not_ready', 'The models are still being loaded; try again shortly.')
    await runJobs(tasks, context, settle)
  })
}

interface AcceptedTask extends Task {
  id: number
}

function describe({ cropper, targets, reader }: Models): EngineInfo {
  const models = [...(cropper ? [cropper] : []), ...new Set(targets.values())]
  const [first] = models
  return {
    models: models.map(({ info }) => info),
    ...(reader ? { reader: READER_ID } : {}),
    executionProvider: first?.executionProvider ?? (reader ? 'cpu' : null),
    executionProviderReason:
      first?.executionProviderReason ?? (reader ? 'the text reader runs on the CPU' : 'no model is loaded'),
    pid: process.pid,
  }
}

function scriptMemory(): ScriptMemory {
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, external }
}

function send(reply: EngineReply): void {
  process.send?.(reply)
}

function logFailure(message: string, error: unknown): void {
  childLog('error', { stack: error instanceof Error ? error.stack : String(error) }, message)
}
