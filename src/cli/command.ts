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
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/**
 * Runs a command and sets the exit code that it returns, or the one of the CliError that it throws. The process is not
 * ended by `process.exit`, because that may cut off what it is still writing to a pipe.
 */
export async function runCommand(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    if (!(error instanceof CliError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exitCode
  }
}
