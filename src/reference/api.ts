/** The page of the HTTP API, made from the OpenAPI document of the service, so that it says what the routes' schemas say. */
import { code, table } from './markdown.js'

/** What is read of an OpenAPI 3.1 document. */
export interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

interface Operation {
  summary?: string
  description?: string
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, { description?: string; content?: Record<string, { schema?: Schema }> }>
}

interface Schema {
  $ref?: string
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  oneOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  default?: unknown
  minimum?: number
  maximum?: number
  additionalProperties?: boolean | Schema
}

/** @returns lines of Markdown: each route with its fields and replies, then the named schemas */
export function apiReference({ paths, components }: Document): string[] {
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => route(`${method.toUpperCase()} ${path}`, operation)),
  )
  const schemas = Object.entries(components.schemas).flatMap(([name, schema]) => [
    `### ${name}`,
    '',
    ...paragraph(schema.description),
    ...fields(schema),
  ])
  return [...routes, '## Schemas', '', ...schemas].slice(0, -1)
}

function route(title: string, { summary, description, requestBody, responses }: Operation): string[] {
  const replies = Object.entries(responses).map(([status, { description: meaning = '', content = {} }]) => [
    status,
    [...new Set(Object.values(content).flatMap(({ schema }) => (schema ? [typeOf(schema)] : [])))].join(', '),
    meaning,
  ])
  return [
    `## ${title}`,
    '',
    ...paragraph(summary && `**${summary}.**`),
    ...paragraph(description),
    ...body(requestBody?.content ?? {}),
    ...table(['status', 'reply', 'meaning'], replies),
    '',
  ]
}

const FIELDS = ['field', 'type', 'default', 'meaning']

/** One table for all forms of a body: a field that differs between them has a row for each. */
function body(content: Record<string, { schema: Schema }>): string[] {
  const bodies = Object.entries(content).filter(([, { schema }]) => schema.properties)
  if (bodies.length === 0) return []
  const rows = new Map<string, Map<string, string[]>>()
  for (const [type, { schema }] of bodies)
    for (const [name, ...cells] of rowsOf(schema)) {
      const same = rows.get(name ?? '') ?? new Map<string, string[]>()
      const key = JSON.stringify(cells)
      same.set(key, [...(same.get(key) ?? []), type])
      rows.set(name ?? '', same)
    }
  const lines = [...rows].flatMap(([name, variants]) =>
    [...variants].map(([cells, types]) => {
      const which = types.length < bodies.length ? ` in ${types.map(code).join(', ')}` : ''
      return [`${name}${which}`, ...(JSON.parse(cells) as string[])]
    }),
  )
  return [`The body is ${bodies.map(([type]) => code(type)).join(' or ')}.`, '', ...table(FIELDS, lines), '']
}

function fields(schema: Schema): string[] {
  const rows = rowsOf(schema)
  return rows.length === 0 ? [] : [...table(FIELDS, rows), '']
}

function rowsOf({ properties = {}, required = [] }: Schema): string[][] {
  return Object.entries(properties).map(([name, schema]) => [
    code(name),
    [typeOf(schema), required.includes(name) ? 'required' : '', range(schema)].filter(Boolean).join(', '),
    schema.default === undefined ? '' : code(String(schema.default)),
    schema.description ?? '',
  ])
}

function typeOf(schema: Schema): string {
  const { $ref, type, items, anyOf, oneOf, enum: choices, const: only } = schema
  if ($ref !== undefined) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return `[${name}](#${name.toLowerCase()})`
  }
  if (choices) return choices.map(choice => code(String(choice))).join(', ')
  if (only !== undefined) return code(String(only))
  const several = anyOf ?? oneOf
  if (several) return several.map(typeOf).join(' or ')
  if (type === 'array' && items) return `array of ${typeOf(items)}`
  return [type ?? 'any value'].flat().join(' or ')
}

function range({ minimum, maximum }: Schema): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`
  if (minimum !== undefined) return `at least ${minimum}`
  return maximum === undefined ? '' : `at most ${maximum}`
}

function paragraph(text: string | undefined): string[] {
  return text ? [text, ''] : []
}
