/** An engine among processes that are none and on a clock of its own, and everything that must hold of it at all times. */
import type { StartedEngine } from '../../../src/engine/engine.js'
import { startEngine } from '../../../src/engine/parent/client.js'
import type { Job } from '../../../src/engine/protocol.js'
import { NO_MODELS } from '../fakes/engine.js'
import { BackOff } from './back-off.js'
import { FakeClock, settled } from './clock.js'
import type { Setup } from './histories.js'
import { type FakeProcess, FakeProcesses } from './processes.js'
import { expect } from './runs.js'
import { type Circumstances, Submission } from './submissions.js'

export const TIMES = {
  restart: { firstDelayMs: 50, maxDelayMs: 400 },
  startTimeoutMs: 4000,
  heartbeatMs: 1000,
  hangMs: 700,
  stopMs: 200,
}

export class EngineWorld {
  readonly clock = new FakeClock()
  readonly submissions: Submission[] = []
  readonly processes: FakeProcesses
  readonly engine: StartedEngine
  readonly #backOff: BackOff
  readonly #aborts = new Map<Submission, AbortController>()
  readonly #faults: string[] = []
  readonly #circumstances: Circumstances
  #isDraining = false
  /** Promises of `drain` and `close` that have not resolved. */
  ending = 0

  constructor(readonly setup: Setup) {
    const { clock } = this
    this.#circumstances = { now: 0, action: 0, hasEnded: false, isClosing: false }
    const onFailedStart = () => {
      this.#circumstances.hasEnded = true
    }
    this.#backOff = new BackOff(clock, TIMES.restart, onFailedStart)
    this.processes = new FakeProcesses(setup.endMs, {
      onJobs: (process, jobs) => this.#onJobs(process, jobs),
      onKilled: ({ wasReady, isBlameless, jobs }) => {
        const isWell = wasReady && isBlameless && jobs.length === 0
        if (isWell && !this.isClosing) this.#faults.push('a process is killed without a reason')
      },
      onGone: process => this.#onGone(process),
    })
    this.engine = startEngine(
      {
        ...TIMES,
        ...setup,
        module: new URL('file:///none'),
        execArgv: [],
        sandbox: 'off',
        worker: NO_MODELS,
      },
      this.#backOff.log(),
    )
    this.engine.ready.catch(() => {
      this.#circumstances.isClosing = true
    })
  }

  /** Jobs of which nothing has become yet. */
  get open(): Submission[] {
    return this.submissions.filter(({ outcome }) => outcome === null)
  }

  /** Processes that could take jobs. */
  get idle(): FakeProcess[] {
    return this.processes.alive.filter(({ state, jobs }) => state === 'ready' && jobs.length === 0)
  }

  get isClosing(): boolean {
    return this.#circumstances.isClosing
  }

  submit(deadlineMs: number, isSecondHalf: boolean): Submission {
    const deadline = this.clock.now + deadlineMs
    const circumstances = () => ({ ...this.#circumstances, now: this.clock.now })
    const number = this.submissions.length
    const submission = new Submission(number, deadline, isSecondHalf, this.idle.length > 0, circumstances)
    const abort = new AbortController()
    this.submissions.push(submission)
    this.#aborts.set(submission, abort)
    const { question } = submission
    const job = {
      kind: 'locate',
      image: new Uint8Array([number]),
      questions: [question],
      resolution: null,
      keepPixels: false,
    } as const
    this.engine
      .run(job, { signal: abort.signal, deadline, isSecondHalf })
      .then(result => submission.resolved(result))
      .catch(error => submission.rejected(error))
    return submission
  }

  abort(submission: Submission): void {
    submission.isAborted = true
    this.#aborts.get(submission)?.abort()
  }

  answered(process: FakeProcess, submission: Submission | undefined, how: NonNullable<Submission['answer']>): void {
    submission?.answered(how)
    this.#backOff.answered(process.pid)
  }

  /** Begins an orderly end, or an end at once. */
  end(how: 'drain' | 'close'): void {
    this.#circumstances.isClosing = true
    this.#isDraining = true
    this.ending++
    this.engine[how]().then(() => this.ending--)
  }

  /** To be called before each action. */
  begin(): void {
    this.#circumstances.action++
    this.#circumstances.hasEnded = false
  }

  submissionOf(job: Job): Submission | undefined {
    const question = job.kind === 'locate' ? job.questions[0] : undefined
    return this.submissions.find(submission => submission.question === question)
  }

  /** Lets what has come about take its course, then fails if anything that must hold does not. */
  async check(): Promise<void> {
    await settled()
    await this.clock.pass(0)
    await settled()
    const waiting = this.open.filter(({ given }) => given === 0)
    const firstHalves = waiting.filter(({ isSecondHalf }) => !isSecondHalf)
    const { queueSize, batchSize, batchDelayMs } = this.setup
    const faults = [
      ...this.#faults,
      ...this.#backOff.faults,
      ...this.submissions.flatMap(submission => submission.broken()),
    ]
    expect(faults.length === 0, () => faults.join('; '))
    expect(this.engine.queueSize <= waiting.length, 'the queue holds a job that is settled or was given to a process')
    const most = Math.max(queueSize, batchSize - 1)
    const seconds = waiting.length - firstHalves.length
    expect(this.engine.queueSize - seconds <= most, `${firstHalves.length} jobs wait`)
    if (this.#isDraining && this.open.length === 0) expect(this.engine.state === 'stopped', 'it does not end')
    if (this.engine.state === 'stopped') return
    const mayWait = batchDelayMs > 0 ? batchSize - 1 : 0
    expect(this.engine.queueSize <= mayWait || this.idle.length === 0, 'a process is idle while jobs wait')
    expect(this.#backOff.overdue === 0, 'a process is not started again')
  }

  restore(): void {
    this.clock.restore()
    this.processes.restore()
  }

  #onJobs(process: FakeProcess, jobs: readonly { job: Job }[]): void {
    if (process.state !== 'ready') this.#faults.push(`a process that is ${process.state} is given jobs`)
    if (process.jobs.length > 0) this.#faults.push('a process that is at work is given jobs')
    if (jobs.length === 0 || jobs.length > this.setup.batchSize) this.#faults.push(`a batch of ${jobs.length} jobs`)
    for (const { job } of jobs) {
      const submission = this.submissionOf(job)
      if (!submission) return void this.#faults.push('a process is given a job that nobody submitted')
      submission.given++
      if (submission.given > 1) this.#faults.push(`${submission.question} is given to a process twice`)
      if (submission.outcome !== null) this.#faults.push(`${submission.question} is settled and given to a process`)
      if (submission.deadline <= this.clock.now) this.#faults.push(`${submission.question} is late and yet started`)
    }
  }

  #onGone({ pid, jobs, isKilled, wasReady }: FakeProcess): void {
    // the engine knows that a process is killed, and gives it nothing to lose
    if (!isKilled || !wasReady) this.#circumstances.hasEnded = true
    this.#backOff.ended(pid)
    for (const { job } of jobs) {
      const submission = this.submissionOf(job)
      if (submission) submission.isLost = true
    }
  }
}
