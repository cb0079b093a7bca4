/** Reads a command line by the table of commands and runs what it names. The parser is commander, which also finds typing errors. */
import { Command, CommanderError, Option } from 'commander'
import { VERSION } from '../version.js'
import { CliError, EXIT } from './command.js'
import type { ArgumentSpec, CommandSpec, OptionSpec, World } from './spec.js'

/** Lines below a command's `--help`. */
const EXIT_STATUS = `Exit status: ${EXIT.failed} failed; ${EXIT.usage} wrong arguments; ${EXIT.notFound} not found; ${EXIT.notAllowed} a key is missing.`

/**
 * Runs a command line.
 * @param argv Without the program itself.
 * @returns the exit code
 * @throws CliError
 */
export async function runProgram(
  commands: readonly CommandSpec[],
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
  for (const spec of commands) {
    const one = program.command(spec.name).summary(spec.summary).helpOption('-h, --help', 'Prints this.')
    one.description([spec.summary, spec.details].filter(Boolean).join('\n\n'))
    for (const argument of spec.arguments) one.argument(placeholder(argument), argument.meaning)
    for (const [name, option] of Object.entries(spec.options)) one.addOption(toOption(name, option))
    one.addHelpText('after', () => after(spec))
    one.action(async (...given: unknown[]) => {
      const values = one.opts<Record<string, never>>()
      const named = Object.keys(spec.options).map(name => [name, values[camelCase(name)] ?? absent(spec.options[name])])
      exitCode = await spec.run(given.slice(0, -2).flat().filter(isText), Object.fromEntries(named), world)
    })
  }
  for (const each of [program, ...program.commands])
    each
      .exitOverride()
      .configureOutput({ writeOut: text => world.stdout.write(text), writeErr: text => world.stderr.write(text) })
  if (argv.length === 0) {
    world.stderr.write(program.helpInformation())
    return EXIT.usage
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    // help and version were asked for; else the parser has written what is wrong
    return error.exitCode === 0 ? 0 : EXIT.usage
  }
  return exitCode
}

function placeholder({ name, optional = false, repeated = false }: ArgumentSpec): string {
  const inside = repeated ? `${name}...` : name
  return optional ? `[${inside}]` : `<${inside}>`
}

function toOption(name: string, { value, meaning, default: fallback, choices, repeated, short }: OptionSpec): Option {
  const flags = `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`
  const option = new Option(flags, meaning)
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
