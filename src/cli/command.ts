/** A failure that ends a command: a person reads its message, a calling script its exit code. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}

/** Exit codes of the commands; 0 is success. */
export const EXIT = {
  /** The work itself failed: network, checksum, a failed request. */
  failed: 1,
  /** The arguments are wrong. */
  usage: 2,
  /** What was asked for does not exist: repository, revision, precision. */
  notFound: 3,
  /** A key is missing or does not suffice. */
  notAllowed: 4,
  /** Stopped by SIGINT and by SIGTERM: 128 and the signal's number, as shells have it. */
  interrupted: 130,
  terminated: 143,
} as const

/** What each exit code means, for `--help` and the documentation. */
export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [EXIT.failed, 'failed, all of it or some; what did is on stderr'],
  [EXIT.usage, 'wrong arguments or a wrong configuration'],
  [EXIT.notFound, 'what was asked for does not exist: a file, a model'],
  [EXIT.notAllowed, 'a key is missing, or does not suffice'],
  [EXIT.interrupted, 'stopped by Ctrl+C (SIGINT)'],
  [EXIT.terminated, 'stopped by SIGTERM'],
]

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * Runs a command and sets the exit code that it returns, or the one of the CliError that it throws. The process is not
 * ended by `process.exit`, because that may cut off what it is still writing to a pipe.
 * @param signal Where it is aborted with a CliError, that tells why the command failed.
 */
export async function runCommand(command: () => Promise<number>, signal?: AbortSignal): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (thrown) {
    const error: unknown = signal?.aborted ? signal.reason : thrown
    if (!(error instanceof CliError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exitCode
  }
}
