/**
 * How the time of a run is shared. Memory is measured in a part without kills: a process that was just started fills its
 * caches, and that would look like a leak. Kills come before it and, with what they do to the HTTP process, behind it.
 */

export interface Schedule {
  /** Seconds of the kills before the measured part, and of those behind it. */
  kills: number
  /** When memory is measured at the earliest, in seconds after the start. */
  settledBy: number
  /** When the caches have to be full at the latest, in seconds after the start; what follows is measured all the same. */
  fullBy: number
  /** When the measured part ends, in seconds after the start. */
  measuredUntil: number
  /** Of the whole run, in seconds. */
  end: number
}

const KILLS_SHARE = 0.1
const MAX_KILLS_S = 300
/**
 * What the HTTP process holds outside of V8 goes from 80 to 115-140 MiB in its first 40 minutes, and stays there: with each
 * peak of what is on its way at once its allocator takes a little more. A line through that time would look like a leak.
 */
const SETTLE_S = 2400
/** Of the whole run: of a short one, as much as leaves time to measure. */
const SETTLE_SHARE = 1 / 3
const FILL_SHARE = 0.5

export function makeSchedule(seconds: number): Schedule {
  const kills = Math.min(MAX_KILLS_S, KILLS_SHARE * seconds)
  return {
    kills,
    settledBy: Math.min(SETTLE_S, SETTLE_SHARE * seconds),
    fullBy: FILL_SHARE * seconds,
    measuredUntil: seconds - kills,
    end: seconds,
  }
}

export type KillSignal = 'SIGKILL' | 'SIGSTOP'

/** A process that stands still is found by its heartbeat, which takes its time. */
const MIN_STOP_S = 30

/**
 * How the engine is ended: at once, or by standing still, in turns.
 * @param seconds How long the part lasts: a short one has no time for the second.
 */
export function killSignal(number: number, seconds: number): KillSignal {
  return number % 2 === 0 || seconds < MIN_STOP_S ? 'SIGKILL' : 'SIGSTOP'
}
