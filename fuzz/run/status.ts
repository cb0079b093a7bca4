/** Reads what libFuzzer writes. */

export interface Status {
  executions: number
  /** Branches reached, of the target and the packages that it names. */
  coverage: number
  /** Inputs that reach something of their own, and their bytes together as libFuzzer writes them. */
  corpus: number
}

export const NO_STATUS: Status = { executions: 0, coverage: 0, corpus: 0 }

/** `#4096  pulse  cov: 78 ft: 349 corp: 54/3188b lim: 180 exec/s: 3269 rss: 286Mb`; null: the line is another. */
export function statusOf(line: string): Status | null {
  const [, executions, coverage, corpus] = /^#(\d+)\s+\w+\s+cov: (\d+) ft: \d+ corp: (\d+)\//.exec(line) ?? []
  if (executions === undefined) return null
  return { executions: Number(executions), coverage: Number(coverage), corpus: Number(corpus) }
}

/** `Done 42500 runs in 13 second(s)`; null: the line is another. */
export function runsOf(line: string): number | null {
  const [, runs] = /^Done (\d+) runs in \d+ second/.exec(line) ?? []
  return runs === undefined ? null : Number(runs)
}

/** The file of an input that ended the run; null: the line is another, or tells of one that was slow by the wall clock. */
export function findOf(line: string): string | null {
  return /Test unit written to (\S+\/(?:crash|timeout|oom|leak)-\w+)/.exec(line)?.[1] ?? null
}

/** What was wrong with it, in a line; null: the line is another. */
export function reasonOf(line: string): string | null {
  const [, exception, fault] = /^==\d+== Uncaught Exception: (.+)|^==\d+== ERROR: libFuzzer: (.+)/.exec(line) ?? []
  return exception ?? fault ?? null
}
