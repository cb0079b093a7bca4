import { createContext, Script } from 'node:vm'
import { CropVlmError, type ErrorCode } from '../errors.js'

/** Calls `run` of the context. Only its time limit is wanted of `node:vm`; the function runs in the caller's own realm. */
const CALL = new Script('run()')

/** What a model folder brings along took too long. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
}

/** How often a function that has not had its time on a core is begun anew, each time with twice the wall time. */
const MAX_RUNS = 4

/**
 * Runs a function that works through what a stranger wrote (a template, a pattern), and ends it when its time is over, even in
 * the middle of a regular expression. It takes 0.2 ms to set up.
 *
 * Where a busy machine kept this process from its cores, the function has not had its time, and is called again.
 * @param ms Milliseconds of processor time, of all threads of this process together.
 * @param run Without effects: it may be ended and called again.
 * @throws TimeLimitError
 */
export function withinTime<T>(ms: number, run: () => T): T {
  for (let runs = 1; ; runs++) {
    const before = process.cpuUsage()
    try {
      return CALL.runInContext(createContext({ run }), { timeout: ms * 2 ** (runs - 1) }) as T
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error
      const { user, system } = process.cpuUsage(before)
      // a timer's tick and the processor's clock differ a little
      if (user + system > 900 * ms || runs === MAX_RUNS)
        throw new TimeLimitError(`took longer than ${ms} ms`, { cause: error })
    }
  }
}

/** Calls a function, with a coded error in the place of a TimeLimitError. */
export function orTooSlow<T>(code: ErrorCode, message: string, run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw cause instanceof TimeLimitError ? new CropVlmError(code, message, { cause }) : cause
  }
}
