/** docs/reference/commands.md, made from the table of commands that the parser reads. */
import { EXIT_MEANINGS } from '../cli/command.js'
import { flags, placeholder } from '../cli/program.js'
import { type CommandEntry, type CommandSpec, isGroup, type OptionSpec } from '../cli/spec.js'
import { code, escaped, table } from './markdown.js'

/** @returns lines of Markdown: all commands, then each with its arguments and options, then the exit codes */
export function commandsReference(commands: readonly CommandEntry[]): string[] {
  return [
    ...table(
      ['command', 'does'],
      commands.map(({ name, summary }) => [`[${code(name)}](#cropvlm-${name})`, summary]),
    ),
    '',
    ...commands.flatMap(entry => section(entry, 'cropvlm')),
    '## Exit status',
    '',
    ...table(
      ['status', 'meaning'],
      EXIT_MEANINGS.map(([status, meaning]) => [`${status}`, meaning]),
    ),
  ]
}

function section(entry: CommandEntry, parent: string): string[] {
  const path = `${parent} ${entry.name}`
  const head = [`${'#'.repeat(path.split(' ').length)} ${path}`, '', escaped(entry.summary), '']
  const details = entry.details === undefined ? [] : [escaped(entry.details), '']
  if (isGroup(entry)) return [...head, ...details, ...entry.commands.flatMap(each => section(each, path))]
  return [...head, ...fenced('text', [usage(entry, path)]), ...details, ...tables(entry), ...examples(entry)]
}

function usage({ options, arguments: args }: CommandSpec, path: string): string {
  const hasOptions = Object.keys(options).length > 0
  return [path, ...(hasOptions ? ['[options]'] : []), ...args.map(placeholder)].join(' ')
}

function tables({ options, arguments: args }: CommandSpec): string[] {
  const argumentRows = args.map(argument => [code(placeholder(argument)), argument.meaning])
  const optionRows = Object.entries(options).map(([name, option]) => [code(flags(name, option)), meaning(option)])
  return [
    ...(argumentRows.length > 0 ? [...table(['argument', 'meaning'], argumentRows), ''] : []),
    ...(optionRows.length > 0 ? [...table(['option', 'meaning'], optionRows), ''] : []),
  ]
}

/** With what `--help` tells of an option's values. */
function meaning({ meaning, choices, default: fallback, repeated }: OptionSpec): string {
  const choice = choices ? ` One of ${choices.map(value => `\`${value}\``).join(', ')}.` : ''
  const preset = fallback === undefined ? '' : ` Default: \`${fallback}\`.`
  return `${meaning}${choice}${preset}${repeated ? ' May be repeated.' : ''}`
}

function examples({ examples: lines = [] }: CommandSpec): string[] {
  if (lines.length === 0) return []
  return fenced(
    'sh',
    lines.flatMap(([line, does]) => [`# ${does}`, `cropvlm ${line}`]),
  )
}

function fenced(language: string, lines: readonly string[]): string[] {
  return [`\`\`\`${language}`, ...lines, '```', '']
}
