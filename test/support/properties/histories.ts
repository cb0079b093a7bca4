/** What may happen to an engine, as data: a history that fails prints as one that can be pasted into a test. */
import fc from 'fast-check'
import type { EngineOptions } from '../../../src/engine/options.js'

/** Numbers that choose a job or a process count on from the first again where there are fewer. */
export type Action =
  | { do: 'submit'; deadlineMs: number; isSecondHalf: boolean }
  | { do: 'abort'; job: number }
  | { do: 'load'; process: number }
  | { do: 'answer'; process: number; job: number; how: Answer; times: number }
  /** A process says what no process should. */
  | { do: 'babble'; process: number; what: 'ready' | 'unknown job' | 'failed' }
  | { do: 'end'; process: number; signal: boolean }
  /** A process answers nothing any more, or does so again. */
  | { do: 'hang'; process: number }
  /** The system has no process to give any more, or has again. */
  | { do: 'exhaust' }
  | { do: 'pass'; ms: number }
  /** The service's own process is held up: timers come late. */
  | { do: 'block'; ms: number }
  | { do: 'drain' }
  | { do: 'close' }

export type Answer = 'result' | 'image_undecodable' | 'model_failed'

export type Setup = Pick<EngineOptions, 'queueSize' | 'processes' | 'batchSize' | 'batchDelayMs'> & {
  batchSize: number
  /** Milliseconds from the end of a process until it is noticed. */
  endMs: number
}

const which = fc.nat({ max: 5 })
const ms = fc.oneof(fc.nat({ max: 60 }), fc.nat({ max: 3000 }), fc.constantFrom(0, 100, 500, 5000, 20_000))

const answer: fc.Arbitrary<Action> = fc.record({
  do: fc.constant('answer'),
  process: which,
  job: which,
  how: fc.constantFrom('result', 'result', 'result', 'image_undecodable', 'model_failed', 'model_failed'),
  times: fc.constantFrom(1, 1, 1, 2),
})

const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('submit'), deadlineMs: ms, isSecondHalf: fc.boolean() }) },
  { weight: 12, arbitrary: answer },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass'), ms }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('load'), process: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('abort'), job: which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end'), process: which, signal: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hang'), process: which }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('block'), ms }) },
  { weight: 1, arbitrary: fc.constant({ do: 'exhaust' }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('babble'),
      process: which,
      what: fc.constantFrom('ready', 'unknown job', 'failed'),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom<Action>({ do: 'drain' }, { do: 'close' }) },
)

export const setups: fc.Arbitrary<Setup> = fc.record({
  queueSize: fc.nat({ max: 4 }),
  processes: fc.integer({ min: 1, max: 3 }),
  batchSize: fc.integer({ min: 1, max: 3 }),
  batchDelayMs: fc.constantFrom(0, 0, 20),
  endMs: fc.constantFrom(1, 30),
})

/** A history of an engine whose first process mostly loads at once, so that there is something to go wrong. */
export const histories: fc.Arbitrary<Action[]> = fc
  .tuple(fc.constantFrom(true, true, true, true, false), fc.array(action, { maxLength: 60, size: 'max' }))
  .map(([isLoaded, actions]) => (isLoaded ? [{ do: 'load', process: 0 }, ...actions] : actions))
