/** The tables of the README's "Configuration", made from the schemas. `npm run docs` writes them there. */
import type { TObject } from '@sinclair/typebox'
import type { Described } from './schema.js'
import { OPTIONS } from './service.js'
import { LOCAL_ENTRY, OPENAI_ENTRY, READER_ENTRY } from './target/entry.js'

const BEGIN = '<!-- npm run docs writes from here -->'
const END = '<!-- to here -->'

/**
 * The README with its tables of the configuration brought up to date.
 * @throws Error where the README lacks the marks between which they stand
 */
export function withConfiguration(readme: string): string {
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`README.md must hold ${BEGIN} and after it ${END}`)
  const tables = [
    ...variableTable(),
    '',
    'An entry of `TARGETS` has these keys; those without "required" may be left out.',
    '',
    ...entryTable(),
  ]
  return `${readme.slice(0, begin)}${BEGIN}\n\n${tables.join('\n')}\n\n${readme.slice(end)}`
}

function variableTable(): string[] {
  const rows = OPTIONS.map(({ env, defaultText, unit, meaning }) => {
    const written = defaultText === 'unset' ? 'unset' : `\`${defaultText}\``
    return row(`\`${env}\``, /^\d+$/.test(defaultText) && unit ? `${written} ${unit}` : written, meaning)
  })
  return [row('variable', 'default', 'meaning'), '|---|---|---|', ...rows]
}

function entryTable(): string[] {
  const kinds = [
    ['endpoint', OPENAI_ENTRY],
    ['`local:`', LOCAL_ENTRY],
    ['`local:text`', READER_ENTRY],
  ] as const
  const rows = kinds.flatMap(([kind, schema]) =>
    Object.entries<Described>(schema.properties).map(([key, { description = '' }]) =>
      row(`\`${key}\``, isRequired(schema, key) ? `${kind}, required` : kind, description),
    ),
  )
  return [row('key', 'target', 'meaning'), '|---|---|---|', ...rows]
}

function isRequired(schema: TObject, key: string): boolean {
  return schema.required?.includes(key) ?? false
}

function row(...cells: string[]): string {
  // Markdown would end a cell at the one, and take the other for HTML
  return `| ${cells.map(cell => cell.replace(/[|<]/g, '\\$&')).join(' | ')} |`
}
