/** What is promised of each job that an engine is given, and whether it was kept. */

import type { LocateResult } from '../../../src/engine/protocol.js'
import type { CropVlmError } from '../../../src/errors.js'
import type { Answer } from './histories.js'

/** What became of a job: `result`, or the code of its error. */
export type Outcome = Answer | CropVlmError['code']

/** What has happened since a history began, counted in its actions. */
export interface Circumstances {
  /** Unix milliseconds. */
  now: number
  action: number
  /** Whether a process ended by itself, or could not be started, during this action. */
  hasEnded: boolean
  /** Whether the engine has been told to end, or its first load failed. */
  isClosing: boolean
}

export class Submission {
  outcome: Outcome | null = null
  isAborted = false
  /** How many times a process was given it. */
  given = 0
  /** Whether the process that had it is gone. */
  isLost = false
  /** What the process that had it said of it first. */
  answer: Answer | null = null
  readonly #submittedIn: number
  readonly faults: string[] = []

  /**
   * @param hadRoom Whether a process was idle when it came.
   * @param circumstances As they are whenever they are asked for.
   */
  constructor(
    readonly number: number,
    readonly deadline: number,
    readonly isSecondHalf: boolean,
    private readonly hadRoom: boolean,
    private readonly circumstances: () => Circumstances,
  ) {
    this.#submittedIn = circumstances().action
  }

  /** The question by which it is known again. */
  get question(): string {
    return `job ${this.number}`
  }

  /** Of several answers the first counts, and none does of a process that had lost it. */
  answered(how: Answer): void {
    if (!this.isLost) this.answer ??= how
  }

  resolved({ boxes, timings }: LocateResult): void {
    this.#settle('result')
    if (boxes[0]?.raw !== this.question) this.faults.push(`${this.question} got the answer of ${boxes[0]?.raw}`)
    if (!(timings.queue >= 0)) this.faults.push(`${this.question} waited ${timings.queue} ms`)
  }

  rejected({ code, retryAfter }: CropVlmError): void {
    this.#settle(code)
    const isToBeRetried = code === 'queue_full' || code === 'not_ready' || code === 'engine_unavailable'
    const isWhole = Number.isInteger(retryAfter) && Number(retryAfter) >= 1 && Number(retryAfter) <= 60
    if (isToBeRetried && !isWhole) this.faults.push(`${code} with Retry-After ${retryAfter}`)
  }

  /** What was promised and has not been kept. */
  broken(): string[] {
    const { now } = this.circumstances()
    const isDue = this.isAborted || this.isLost || this.answer !== null || this.deadline <= now
    return this.outcome === null && isDue ? [...this.faults, `${this.question} is not settled`] : this.faults
  }

  #settle(outcome: Outcome): void {
    if (this.outcome !== null) this.faults.push(`${this.question} is settled twice: ${this.outcome}, then ${outcome}`)
    this.outcome = outcome
    if (!this.#isAllowed(outcome)) this.faults.push(`${this.question} is settled with ${outcome}`)
  }

  #isAllowed(outcome: Outcome): boolean {
    const { now, action, hasEnded, isClosing } = this.circumstances()
    const isNew = action === this.#submittedIn
    switch (outcome) {
      case 'request_aborted':
        return this.isAborted
      case 'deadline_exceeded':
        return this.deadline <= now
      case 'draining':
        return isClosing
      case 'not_ready':
        return isNew
      case 'queue_full':
        return isNew && !this.hadRoom && !this.isSecondHalf
      case 'engine_unavailable':
        return this.isLost || hasEnded || (isNew && !this.hadRoom)
      default:
        return this.answer === outcome
    }
  }
}
