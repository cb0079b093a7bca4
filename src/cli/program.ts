/** Reads a command line by the table of commands and runs what it names. The parser is commander, which also finds typing errors. */
import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../version.js'
import { CliError, EXIT, EXIT_MEANINGS } from './command.js'
import { type ArgumentSpec, type CommandEntry, type CommandSpec, isGroup, type OptionSpec, type World } from './spec.js'

/** Lines below a command's `--help`. */
const EXIT_STATUS = `Exit status:\n${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padEnd(5)}${meaning}`).join('\n')}`

/**
 * Runs a command line.
 * @param argv Without the program itself.
 * @returns the exit code
 * @throws CliError
 */
export async function runProgram(
  commands: readonly CommandEntry[],
  argv: readonly string[],
  world: World,
): Promise<number> {
  let exitCode = 0
  const program = new Command('cropvlm')
    .description('Finds the one region of an image that helps to answer a question.')
    .version(VERSION, '--version', 'Prints the version.')
    .helpOption('-h, --help', 'Prints this.')
    .helpCommand(false)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: text => world.stdout.write(text),
      writeErr: text => world.stderr.write(text),
      getOutHelpWidth: () => world.stdout.columns ?? 80,
      getErrHelpWidth: () => world.stderr.columns ?? 80,
    })
    .addHelpText('after', '\ncropvlm COMMAND --help tells more of a command.')
  const finished = (code: number) => {
    exitCode = code
  }
  for (const entry of commands) add(program, entry, world, finished)
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // help and version were asked for; else the parser has written what is wrong
    return error.exitCode === 0 ? 0 : EXIT.usage
  }
  return exitCode
}

/** Adds a command, or a group and its commands, to the parser. */
function add(parent: Command, entry: CommandEntry, world: World, finished: (exitCode: number) => void): void {
  const parser = parent.command(entry.name).summary(entry.summary).helpOption('-h, --help', 'Prints this.')
  parser.description([entry.summary, entry.details].filter(Boolean).join('\n\n'))
  if (isGroup(entry)) {
    parser.helpCommand(false)
    for (const each of entry.commands) add(parser, each, world, finished)
    return
  }
  for (const argument of entry.arguments) parser.argument(placeholder(argument), argument.meaning)
  for (const [name, option] of Object.entries(entry.options)) parser.addOption(toOption(name, option))
  parser.addHelpText('after', () => after(entry))
  parser.action(async (...given: unknown[]) => {
    const values = parser.opts<Record<string, never>>()
    const named = Object.keys(entry.options).map(name => [name, values[camelCase(name)] ?? absent(entry.options[name])])
    const options: Record<string, never> = Object.fromEntries(named)
    const envFile: string | undefined = options['env-file']
    const args = given.slice(0, -2).flat().filter(isText)
    finished(await entry.run(args, options, envFile === undefined ? world : { ...world, envFile }))
  })
}

/** An argument as `--help` and the documentation write it. */
export function placeholder({ name, optional = false, repeated = false }: ArgumentSpec): string {
  const inside = repeated ? `${name}...` : name
  return optional ? `[${inside}]` : `<${inside}>`
}

/** An option as `--help` and the documentation write it. */
export function flags(name: string, { value, short }: OptionSpec): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`
}

function toOption(name: string, spec: OptionSpec): Option {
  const { meaning, default: fallback, choices, repeated } = spec
  const option = new Option(flags(name, spec), meaning)
  if (choices) option.choices(choices)
  if (fallback !== undefined) option.default(fallback)
  if (repeated) option.argParser((text: string, before: string[] | undefined) => [...(before ?? []), text])
  return option
}

function absent(spec: OptionSpec | undefined): unknown {
  if (spec?.value === undefined) return false
  return spec.repeated ? [] : undefined
}

function after({ examples = [] }: CommandSpec): string {
  const lines = examples.map(([line, does]) => `  cropvlm ${line}\n      ${does}`)
  return `\n${lines.length > 0 ? `Examples:\n${lines.join('\n')}\n\n` : ''}${EXIT_STATUS}\n`
}

/** As commander names the value of an option. */
function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_match, letter: string) => letter.toUpperCase())
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

/** @throws CliError usage, unless the text is a whole number of 1 or more */
export function count(option: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number > 0) return number
  throw new CliError(EXIT.usage, `${option} is "${text}", but must be a whole number of 1 or more.`)
}
