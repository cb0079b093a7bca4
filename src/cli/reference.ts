/** The page of all commands in the documentation, made from the table that the parser reads. */
import { EXIT_MEANINGS } from './command.js'
import { flags, placeholder } from './program.js'
import { type CommandEntry, type CommandSpec, isGroup, type OptionSpec } from './spec.js'

/** Markdown. */
export function reference(commands: readonly CommandEntry[]): string {
  const parts = [
    '<!-- npm run docs writes this page from src/cli/commands. Do not edit it. -->',
    '# Commands',
    '`cropvlm` is what the package installs; `npx cropvlm` runs it without installing. In a checkout, after `npm run build`, it is `node dist/cli/main.js`.',
    table(
      ['command', 'does'],
      commands.map(({ name, summary }) => [`[\`${name}\`](#cropvlm-${name})`, summary]),
    ),
    ...commands.flatMap(entry => section(entry, 'cropvlm')),
    '## Exit status',
    table(
      ['status', 'meaning'],
      EXIT_MEANINGS.map(([code, meaning]) => [`${code}`, meaning]),
    ),
  ]
  return `${parts.join('\n\n')}\n`
}

function section(entry: CommandEntry, parent: string): string[] {
  const head = [`${'#'.repeat(parent.split(' ').length + 1)} ${parent} ${entry.name}`, escaped(entry.summary)]
  const details = entry.details === undefined ? [] : [escaped(entry.details)]
  if (isGroup(entry)) {
    return [...head, ...details, ...entry.commands.flatMap(each => section(each, `${parent} ${entry.name}`))]
  }
  return [...head, fenced([usage(entry, parent)]), ...details, ...tables(entry), ...examples(entry)]
}

function usage({ name, options, arguments: args }: CommandSpec, parent: string): string {
  const hasOptions = Object.keys(options).length > 0
  return [parent, name, ...(hasOptions ? ['[options]'] : []), ...args.map(placeholder)].join(' ')
}

function tables({ options, arguments: args }: CommandSpec): string[] {
  const argumentRows = args.map(argument => [`\`${placeholder(argument)}\``, argument.meaning])
  const optionRows = Object.entries(options).map(([name, option]) => [`\`${flags(name, option)}\``, meaning(option)])
  return [
    ...(argumentRows.length > 0 ? [table(['argument', 'meaning'], argumentRows)] : []),
    ...(optionRows.length > 0 ? [table(['option', 'meaning'], optionRows)] : []),
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
  return [fenced(lines.flatMap(([line, does]) => [`# ${does}`, `cropvlm ${line}`]))]
}

function fenced(lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapedCell).join(' | ')} |`
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
}

/** Markdown would take it for HTML, and VitePress for a template. */
function escaped(text: string): string {
  return text.replace(/[<{]/g, '\\$&')
}

/** A cell, where nothing is code but what stands between backticks. */
function escapedCell(text: string): string {
  return text
    .split('`')
    .map((part, i) => (i % 2 === 0 ? escaped(part) : part).replaceAll('|', '\\|'))
    .join('`')
}
