import type { Logger } from 'pino'
import { CropVlmError } from '../../../errors.js'
import { LOOK_MS, MemoryWatch, tooMuchMemory } from '../../../process/memory-watch.js'
import type { EngineOptions } from '../../options.js'
import type { EngineInfo, EngineReply, EngineRequest, ScriptMemory } from '../../protocol.js'
import { restartDelay } from '../backoff.js'
import { EngineChild } from './child.js'
import { startFailure, trialFailure } from './failure.js'
import { Heartbeat } from './heartbeat.js'
import { RunDelay } from './run-delay.js'
import { StartStep } from './start-step.js'
import { Trial } from './trial.js'

export type Phase = 'loading' | 'ready' | 'restarting' | 'stopped'

export interface SupervisorEvents {
  /** A process has loaded its models and answered; again after each restart. */
  onReady: (info: EngineInfo) => void
  onReply: (reply: Extract<EngineReply, { type: 'result' | 'error' }>) => void
  /**
   * The process is gone, and another will come. What it had been given is lost.
   * @param how How it ended, as in "was killed by SIGKILL".
   */
  onDown: (how: string) => void
  /** The first load failed. It is not tried again. */
  onFatal: (error: CropVlmError) => void
}

/** The load time that is assumed until one has been measured, in milliseconds. */
const FIRST_LOAD_MS = 5000

/**
 * How many times the longest run of its warm-up a process may be silent, whatever the limit: on a machine where a run takes
 * seconds, one that takes some times as long is no hang.
 */
const RUNS_OF_SILENCE = 5

/** Keeps one engine process alive: starts it, and starts another when it dies, at once or after a growing delay. */
export class Supervisor {
  phase: Phase
  restarts = 0
  /** Processes that were ended because they held too much memory. */
  memoryKills = 0
  /** What JavaScript held in the process at the last sign of life that was asked for; null before the first. */
  scriptMemory: ScriptMemory | null = null
  /** What the process is doing while it starts. */
  readonly step = new StartStep()
  /** Whether the process has been killed and has not ended yet: what it is sent is lost. */
  isKilled = false
  readonly #options: EngineOptions
  readonly #log: Logger
  readonly #events: SupervisorEvents
  #child: EngineChild | null = null
  /** While there is no process, it runs until the next start; while a process starts, until that has taken too long. */
  #timer: NodeJS.Timeout | undefined
  /** When the process was started, or when the next will be, in Unix milliseconds. */
  #startsAt = Date.now()
  /** How long the last load took, in milliseconds. */
  #loadMs = FIRST_LOAD_MS
  #heartbeat: Heartbeat | undefined
  #memory: MemoryWatch | undefined
  #trial: Trial | undefined
  /** How often the process has died since a job was answered last. */
  #crashes = 0
  #lastStartFailed = false
  /** The error that the process reported when its start failed; null if it reported none. */
  #failure: CropVlmError | null = null

  /**
   * @param phase `loading` for the first process of all: if its load fails, it is not tried again. `restarting` for the
   * others: the models are known to load, so a start that fails is tried again.
   */
  constructor(options: EngineOptions, log: Logger, events: SupervisorEvents, phase: 'loading' | 'restarting') {
    this.phase = phase
    this.#options = options
    this.#log = log
    this.#events = events
    this.#start()
  }

  /**
   * Milliseconds until the process is expected to be ready; null if that is not known, because the last start failed.
   */
  get readyInMs(): number | null {
    if (this.phase === 'ready') return 0
    return this.#lastStartFailed ? null : Math.max(0, this.#startsAt + this.#loadMs - Date.now())
  }

  /** Process id; null while there is no process. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Milliseconds until the next attempt to start. */
  get nextStartInMs(): number {
    return Math.max(0, this.#startsAt - Date.now())
  }

  send(request: EngineRequest): void {
    this.#child?.send(request)
  }

  /**
   * Ends the process, whatever it is doing; another follows.
   * @param why What `onDown` is told, as in "did not react and was killed".
   */
  kill(why: string): void {
    this.isKilled = true
    this.#child?.kill(why)
  }

  /** Ends the process for good. */
  async stop(): Promise<void> {
    // a process that is still loading does not read messages, and has no jobs to lose
    if (this.phase !== 'ready') this.#child?.kill('was stopped')
    this.phase = 'stopped'
    clearTimeout(this.#timer)
    this.#heartbeat?.stop()
    this.#memory?.stop()
    this.#trial?.end()
    await this.#child?.stop()
  }

  #start(): void {
    this.#startsAt = Date.now()
    this.#failure = null
    const { startTimeoutMs } = this.#options
    const child = this.#fork()
    if (!child) return
    this.#child = child
    this.#watchMemory(child)
    this.#log.info({ preload: child.preload, engine: child.pid }, 'engine process started, loading models')
    this.#timer = setTimeout(
      () => this.kill(`was not ready within ${startTimeoutMs} ms and was killed`),
      startTimeoutMs,
    )
  }

  /**
   * Starts a process. Returns null if the system cannot start one, for instance because memory has run out; this counts
   * as a death of the process, and the server goes on.
   */
  #fork(): EngineChild | null {
    try {
      return new EngineChild(
        this.#options,
        this.#log,
        reply => this.#onReply(reply),
        how => this.#onEnd(how),
      )
    } catch (error) {
      this.#onEnd(`could not be started (${error instanceof Error ? error.message : error})`)
      return null
    }
  }

  #onReply(reply: EngineReply): void {
    this.#heartbeat?.heard()
    if (reply.type === 'pong') this.scriptMemory = reply.memory
    else if (reply.type === 'step') this.#onStep(reply)
    else if (reply.type === 'failed') this.#failure = CropVlmError.fromWire(reply.error)
    else if (reply.type === 'ready') this.#onReady(reply.info, reply.longestRunMs)
    else {
      this.#crashes = 0
      this.#events.onReply(reply)
    }
  }

  #onStep({ doing, file, isTrial }: Extract<EngineReply, { type: 'step' }>): void {
    this.step.set(doing, file)
    this.#trial?.end()
    const child = this.#child
    if (!isTrial || !child) return
    this.#trial = new Trial(
      () => child.pid,
      how => {
        this.#failure = trialFailure(file, how)
        this.kill(`${how} and was killed`)
      },
    )
  }

  #onReady(info: EngineInfo, longestRunMs: number | null): void {
    clearTimeout(this.#timer)
    // said before its end was noticed, or twice
    if (this.isKilled || this.phase === 'stopped' || this.phase === 'ready') return
    this.step.clear()
    this.#trial?.end()
    this.#memory?.every(LOOK_MS.running)
    // how long a run takes on this machine is not known without a warm-up
    if (longestRunMs !== null) this.#listen(Math.max(this.#options.heartbeatMs, RUNS_OF_SILENCE * longestRunMs))
    this.phase = 'ready'
    this.#lastStartFailed = false
    this.#loadMs = Date.now() - this.#startsAt
    const { executionProvider, executionProviderReason: reason } = info
    const models = info.models.map(({ id, precision, precisionReason: why }) => `${id} (${precision}: ${why})`)
    // one in a sandbox has another id for itself
    const pid = this.pid ?? info.pid
    this.#log.info({ engine: pid, executionProvider, reason, models, ms: this.#loadMs }, 'engine ready')
    this.#events.onReady({ ...info, pid })
  }

  #listen(limitMs: number): void {
    const delay = this.pid === null ? null : new RunDelay(this.pid)
    this.#heartbeat = new Heartbeat(limitMs, {
      ask: () => this.send({ type: 'ping' }),
      waitedMs: () => delay?.sinceLastMs() ?? 0,
      onSilent: () => this.kill(`gave no sign of life for ${Math.round(limitMs)} ms and was killed`),
    })
  }

  #watchMemory(child: EngineChild): void {
    const { memoryLimit } = this.#options.worker
    if (typeof memoryLimit !== 'number') return
    this.#memory = new MemoryWatch(
      () => child.pid,
      memoryLimit,
      LOOK_MS.loading,
      bytes => {
        this.memoryKills += 1
        this.kill(`${tooMuchMemory(bytes, memoryLimit)} and was killed`)
      },
    )
  }

  #onEnd(how: string): void {
    clearTimeout(this.#timer)
    this.#heartbeat?.stop()
    this.#memory?.stop()
    this.#trial?.end()
    const step = this.step.text
    this.step.clear()
    this.#child = null
    this.isKilled = false
    this.scriptMemory = null
    if (this.phase === 'stopped') return
    if (this.phase === 'loading') {
      this.phase = 'stopped'
      this.#events.onFatal(this.#failure ?? startFailure(how, step))
      return
    }
    this.#lastStartFailed = this.phase === 'restarting'
    this.#crashes++
    this.phase = 'restarting'
    const delay = restartDelay(this.#crashes, this.#options.restart)
    this.#startsAt = Date.now() + delay
    const reason = this.#failure?.message
    this.#log.error(
      { reason, crashes: this.#crashes, ...(step === null ? {} : { step }) },
      `the engine process ${how}; the next starts in ${delay} ms`,
    )
    this.#timer = setTimeout(() => {
      this.restarts++
      this.#start()
    }, delay)
    this.#events.onDown(how)
  }
}
