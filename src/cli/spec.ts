/** What a command is. The parser, `--help` and the page of all commands in the documentation are made of these. */

/** A positional argument. */
export interface ArgumentSpec {
  /** As `--help` shows it, such as FILE. */
  name: string
  meaning: string
  /** Default: required. */
  optional?: boolean
  /** One or more; only the last argument may be. */
  repeated?: boolean
}

/** An option. Its key is its long name without the dashes. */
export interface OptionSpec {
  /** What stands for its value in `--help`, such as N; without it the option is a switch. */
  value?: string
  meaning: string
  default?: string
  /** The only values that it takes. */
  choices?: readonly string[]
  /** May be given several times; its values are an array. */
  repeated?: boolean
  /** One letter, such as h. */
  short?: string
}

export type OptionTable = Readonly<Record<string, OptionSpec>>

/** The values of a command's options: true for a switch, undefined for what was not given and has no default. */
export type OptionValues<T extends OptionTable> = {
  [Name in keyof T]: T[Name] extends { value: string }
    ? T[Name] extends { repeated: true }
      ? readonly string[]
      : T[Name] extends { default: string }
        ? string
        : string | undefined
    : boolean
}

export interface CommandSpec<T extends OptionTable = OptionTable> {
  name: string
  /** One line. */
  summary: string
  /** Further lines of `--help`: what the command reads and writes. */
  details?: string
  arguments: readonly ArgumentSpec[]
  options: T
  /** Command lines without the leading `cropvlm`, and what each does. */
  examples?: readonly (readonly [line: string, does: string])[]
  /**
   * @param args The positional arguments.
   * @returns the exit code
   * @throws CliError
   */
  run(args: readonly string[], options: OptionValues<T>, world: World): Promise<number>
}

/** A command that only holds others, such as `models` with `models pull` and `models list`. */
export interface CommandGroup {
  name: string
  /** One line. */
  summary: string
  details?: string
  commands: readonly CommandSpec[]
}

/** An entry of the table of commands. */
export type CommandEntry = CommandSpec | CommandGroup

export function isGroup(entry: CommandEntry): entry is CommandGroup {
  return 'commands' in entry
}

/** What a command reads and writes outside of itself; tests pass their own. */
export interface World {
  env: Readonly<Record<string, string | undefined>>
  /**
   * What `--env-file` names, where the command has that option and it was given; else `.env` of `cwd`, if there is one. A
   * command that may be started in a stranger's folder sets null: no file is read.
   */
  envFile?: string | null
  stdin: NodeJS.ReadableStream & { isTTY?: boolean }
  stdout: Output
  stderr: Output
  /** Where relative paths begin. */
  cwd: string
  /** Aborted by the first SIGINT or SIGTERM: the command ends what it does and says what is left. */
  signal: AbortSignal
}

export interface Output {
  write(text: string | Uint8Array): unknown
  isTTY?: boolean
  columns?: number
}

/** A command with the types of its own options; the table of all commands has them without. */
export function command<const T extends OptionTable>(spec: CommandSpec<T>): CommandSpec {
  return spec as unknown as CommandSpec
}
