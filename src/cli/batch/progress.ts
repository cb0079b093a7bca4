/** How far a batch is, on stderr: a bar on a terminal, else a line now and then. */
import { SingleBar } from 'cli-progress'
import type { Output } from '../spec.js'

export interface Progress {
  /** A row is done. @param share How much of the input is done, 0..1; null where that is not known. */
  at(share: number | null, failed: boolean): void
  /** A line for the reader. */
  note(line: string): void
  end(): void
}

const LINE_EVERY_MS = 10_000
const UNITS = 1000

/** @param now Milliseconds; tests pass their own. */
export function showProgress(stderr: Output, now: () => number = () => performance.now()): Progress {
  const begin = now()
  let [rows, errors, said] = [0, 0, begin]
  let [first, last]: [number | null, number | null] = [null, null]
  const bar = stderr.isTTY ? makeBar(stderr) : null
  const state = () => {
    const seconds = (now() - begin) / 1000
    const rate = rows / Math.max(seconds, 0.001)
    return [
      `${rows} ${rows === 1 ? 'row' : 'rows'}`,
      `${rate.toFixed(1)}/s`,
      `${errors} ${errors === 1 ? 'error' : 'errors'}`,
      ...(last === null || first === null || last === first
        ? []
        : [`${duration((seconds * (1 - last)) / (last - first))} left`]),
    ].join(', ')
  }
  return {
    at(share, failed) {
      rows++
      if (failed) errors++
      // what an earlier run has done comes before the first row of this one, and says nothing about the speed
      first ??= share
      last = share === null ? null : Math.max(share, last ?? 0)
      if (bar) bar.update(Math.floor(UNITS * (last ?? 0)), { state: state() })
      else if (now() - said >= LINE_EVERY_MS) {
        said = now()
        stderr.write(`${last === null ? '' : `${(100 * last).toFixed(0)} %, `}${state()}\n`)
      }
    },
    note(line) {
      // behind the bar, which is drawn again on the next line
      stderr.write(bar && rows > 0 ? `\n${line}\n` : `${line}\n`)
    },
    end() {
      bar?.stop()
    },
  }
}

function makeBar(stderr: Output): SingleBar {
  const bar = new SingleBar({
    stream: stderr as unknown as NodeJS.WritableStream,
    format: '{bar} {percentage} % | {state}',
    hideCursor: true,
    gracefulExit: false,
  })
  bar.start(UNITS, 0, { state: '' })
  return bar
}

/** Two units at most: 1 h 5 min, 3 min 20 s, 12 s. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds)
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)]
  if (hours > 0) return `${hours} h ${minutes} min`
  return minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}
