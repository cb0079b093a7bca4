/** The tables of docs/reference/configuration.md, made from the schemas of the environment and of TARGETS. */
import type { TObject } from '@sinclair/typebox'
import type { Described } from '../config/schema.js'
import { OPTIONS } from '../config/service.js'
import { LOCAL_ENTRY, OPENAI_ENTRY, READER_ENTRY } from '../config/target/entry.js'
import { code, table } from './markdown.js'

export function configurationReference(): string[] {
  return [
    ...table(['variable', 'default', 'meaning'], variables()),
    '',
    '## Entries of TARGETS',
    '',
    'An entry of `TARGETS` has these keys; those without "required" may be left out.',
    '',
    ...table(['key', 'target', 'meaning'], entries()),
  ]
}

function variables(): string[][] {
  return OPTIONS.map(({ env, defaultText, unit, meaning }) => {
    const written = defaultText === 'unset' ? 'unset' : code(defaultText)
    return [code(env), /^\d+$/.test(defaultText) && unit ? `${written} ${unit}` : written, meaning]
  })
}

function entries(): string[][] {
  const kinds = [
    ['endpoint', OPENAI_ENTRY],
    [code('local:'), LOCAL_ENTRY],
    [code('local:text'), READER_ENTRY],
  ] as const
  return kinds.flatMap(([kind, schema]) =>
    Object.entries<Described>(schema.properties).map(([key, { description = '' }]) => [
      code(key),
      isRequired(schema, key) ? `${kind}, required` : kind,
      description,
    ]),
  )
}

function isRequired(schema: TObject, key: string): boolean {
  return schema.required?.includes(key) ?? false
}
