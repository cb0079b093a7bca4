/** The course of a soak: kills, the filling of caches, the measured part, kills again. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchService } from '../service.js'
import type { Disturbances } from './disturbances.js'
import { killEngine } from './kill.js'
import { Load } from './load.js'
import type { Collector } from './measure/collector.js'
import { AT_REST, MEASURED, type Sample, type Sampler } from './measure/sampler.js'
import type { Row } from './measure/tally.js'
import { BURST, LARGEST, LAST } from './requests/good.js'
import type { World } from './requests/kind.js'
import { type Rest, restOf } from './rest.js'
import { killSignal, type Schedule } from './schedule.js'
import { type CropperName, QUEUE_SIZE } from './settings.js'

export interface SoakPlan {
  seconds: number
  seed: number
  cropper: CropperName
  callers: number
  /** Files that the engine has to have answered about before its caches count as full. */
  fillFiles: number
  /** Whether V8 collects its garbage before memory is measured at rest. */
  collects: boolean
  /** Where the samples go, as CSV. */
  csv: string
  /** Where the service's log goes. */
  serviceLog: string
  /** `main.js` of the service; the build's by default. */
  main?: string
  log(line: string): void
}

export interface SoakResult {
  requests: readonly Row[]
  behaviours: Readonly<Record<string, number>>
  faults: readonly string[]
  faultCount: number
  samples: readonly Sample[]
  /** Whether the engine's caches were full when the measured part began. */
  isFull: boolean
  /** Descriptors at rest: when the measured part began, at its end, and after the last kills. */
  rests: readonly [Rest, Rest, Rest]
  /** How long each kill left the service without an engine, in ms. */
  kills: readonly { signal: string; ms: number }[]
}

const SAMPLE_MS = 5000
/** So many samples at least, so that a short run has some too. */
const MIN_SAMPLES = 40
const BURST_EVERY_MS = 60_000
/** At rest, connections that are kept end by themselves. */
const MAX_SETTLE_MS = 12_000
const REST_EVERY_S = 45
/** Longer than the engine's allocator keeps what is free (1 s). */
const GIVEN_BACK_MS = 2500

export class Run {
  readonly #load: Load
  readonly #kills: { signal: string; ms: number }[] = []
  readonly #settleMs: number
  #stage = 'kills'
  #isOver = false

  constructor(
    private readonly plan: SoakPlan,
    private readonly service: BenchService,
    private readonly sampler: Sampler,
    private readonly disturbances: Disturbances,
    private readonly collector: Collector,
    world: World,
  ) {
    this.#load = new Load(world, disturbances)
    this.#settleMs = Math.min(MAX_SETTLE_MS, 100 * plan.seconds)
  }

  async all({ kills, settledBy, fullBy, measuredUntil, end }: Schedule): Promise<Omit<SoakResult, 'behaviours'>> {
    const { callers, fillFiles } = this.plan
    const load = this.#load
    const background = [load.run(callers), this.#sample(), this.#bursts()]
    await this.#killUntil(kills, kills)
    this.#enter('fill')
    load.newFiles = 0
    await load.burst(QUEUE_SIZE, { kind: LARGEST, name: LARGEST })
    await this.#until(settledBy)
    while (load.newFiles < fillFiles && this.#seconds < fullBy) await sleep(100)
    const isFull = load.newFiles >= fillFiles
    // an inspector has descriptors of its own
    await this.#collect()
    const before = await restOf(load, this.service, null, this.#settleMs)
    this.#enter(MEASURED)
    const [engine] = this.service.engines()
    await this.#measureUntil(measuredUntil)
    const after = await restOf(load, this.service, before, this.#settleMs)
    if (this.service.engines()[0] !== engine) load.fault('the engine was replaced though nobody had ended it')
    this.#enter('kills again')
    await this.#killUntil(end, kills)
    const last = await restOf(load, this.service, before, this.#settleMs)
    this.#isOver = true
    load.stop()
    await Promise.all(background)
    const { samples } = this.sampler
    const { faults, faultCount, tally } = load
    return {
      requests: tally.rows(),
      faults,
      faultCount,
      samples,
      isFull,
      rests: [before, after, last],
      kills: this.#kills,
    }
  }

  get #seconds(): number {
    return this.sampler.hours * 3600
  }

  #enter(stage: string): void {
    this.#stage = stage
    this.plan.log(`${stage}: after ${Math.round(this.#seconds)} s and ${this.#load.tally.requests} requests`)
  }

  async #until(seconds: number): Promise<void> {
    await sleep(Math.max(0, seconds - this.#seconds) * 1000)
  }

  /** Stops the load every so often, to see what memory stays when nothing is asked. */
  async #measureUntil(until: number): Promise<void> {
    while (this.#seconds + REST_EVERY_S < until) {
      await this.#until(this.#seconds + REST_EVERY_S)
      const resume = await this.#load.pause()
      await this.#load.ask(LAST)
      await this.#collect()
      await sleep(GIVEN_BACK_MS)
      await this.sampler.take(AT_REST, this.#load.tally.requests)
      resume()
    }
    await this.#until(until)
  }

  async #collect(): Promise<void> {
    if (!this.plan.collects) return
    for (const pid of [this.service.pid, ...this.service.engines()]) await this.collector.collect(pid)
  }

  /** Ends the engine at once and then every so often. */
  async #killUntil(until: number, partSeconds: number): Promise<void> {
    do {
      const signal = killSignal(this.#kills.length, partSeconds)
      const over = this.disturbances.begin('killed')
      const ms = await killEngine(this.service, signal)
      if (ms === null) return this.#load.fault(`no engine came back after ${signal}`)
      this.#kills.push({ signal, ms })
      over()
      await this.#until(Math.min(until, this.#seconds + 10 + 20 * Math.random()))
    } while (this.#seconds < until)
  }

  async #sample(): Promise<void> {
    const every = Math.min(SAMPLE_MS, (1000 * this.plan.seconds) / MIN_SAMPLES)
    while (!this.#isOver) {
      await this.sampler.take(this.#stage, this.#load.tally.requests)
      await sleep(every)
    }
  }

  async #bursts(): Promise<void> {
    for (let next = 2; !this.#isOver; await sleep(200)) {
      if (this.#seconds < next) continue
      await this.#load.burst(3 * QUEUE_SIZE, { kind: BURST, name: 'burst' })
      next = this.#seconds + BURST_EVERY_MS / 1000
    }
  }
}
