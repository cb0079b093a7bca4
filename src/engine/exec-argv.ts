/** Node's own flags for the processes that the engine starts. */

/** Flags that say what this process runs, or that only one process can have, each with whether a value follows it. */
const NOT_HANDED_ON: readonly [flag: RegExp, hasValue: boolean][] = [
  // code in place of a file: the engine would run it instead of itself
  [/^(-e|--eval|-p|--print|-pe)$/, true],
  [/^--(eval|print)=/, false],
  [/^--input-type$/, true],
  [/^--input-type=/, false],
  [/^(-i|--interactive|-c|--check)$/, false],
  // a test runner or a watcher inside another
  [/^--watch-path$/, true],
  [/^--(watch|test)\b/, false],
  // two processes cannot share a debugger's port
  [/^--inspect/, false],
]

/** The flags that this process was started with, less those that make no sense for a process of its own. */
export function inheritedExecArgv(own: readonly string[] = process.execArgv): string[] {
  const kept: string[] = []
  for (let i = 0; i < own.length; i += 1) {
    const argument = own[i] ?? ''
    const [, hasValue] = NOT_HANDED_ON.find(([flag]) => flag.test(argument)) ?? []
    if (hasValue === undefined) kept.push(argument)
    else if (hasValue) i += 1
  }
  return kept
}
