/** A failure that ends a command: its message is for the person at the terminal, its code for the script around it. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}

/** What the commands exit with, beside 0. */
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
 * Runs a command to its end and sets the exit status. The process is left to end by itself, so that what it
 * wrote to a pipe arrives whole.
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
