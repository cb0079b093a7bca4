/** What the document lacks as @fastify/swagger makes it from the routes' schemas. */
import { ANNOTATIONS, FILE_KEYWORD } from './request/body-schema.js'

interface Paths {
  [path: string]: { [method: string]: { requestBody?: { content?: Record<string, Content> } } }
}

interface Content {
  schema?: { properties?: Record<string, Field>; required?: string[] }
  encoding?: Record<string, object>
}

interface Field {
  type?: string
  default?: unknown
  examples?: unknown[]
  example?: unknown
}

/**
 * How fields of a form are sent. @fastify/swagger 9 keeps nothing of a content type but its schema, so this cannot be
 * said where the body is declared.
 */
const ENCODING = {
  image: { contentType: 'image/jpeg, image/png, image/webp' },
  questions: { style: 'form', explode: true },
  box: { style: 'form', explode: true },
}

/** The document without the keywords that are our own, and with the encoding of its forms. */
export function documented<T extends object>(document: T): T {
  const clean = withoutOurs(document) as T
  for (const form of formsOf(clean)) {
    const fields = form.schema?.properties ?? {}
    form.encoding = Object.fromEntries(Object.entries(ENCODING).filter(([field]) => field in fields))
  }
  return clean
}

/**
 * Makes a document one for Swagger UI, which is served one folder below the routes and fills each field of a form in
 * with a sample of its schema: fields that have neither a default nor an example are left blank instead.
 */
export function forPage<T extends object>(document: T): T {
  for (const { schema } of formsOf(document))
    for (const field of Object.values(schema?.properties ?? {}))
      if (field.default === undefined && !field.examples) field.example = field.type === 'array' ? [] : ''
  return { ...document, servers: [{ url: '..', description: 'This service' }] }
}

function formsOf({ paths = {} }: { paths?: Paths }): Content[] {
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  return operations.flatMap(({ requestBody }) => requestBody?.content?.['multipart/form-data'] ?? [])
}

function withoutOurs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOurs)
  if (typeof value !== 'object' || value === null) return value
  const { [FILE_KEYWORD]: file, ...rest } = value as Record<string, unknown>
  const entries = Object.entries(rest).filter(([key]) => !ANNOTATIONS.some(ours => ours === key))
  return {
    ...(file === true ? { type: 'string', format: 'binary' } : {}),
    ...Object.fromEntries(entries.map(([key, inner]) => [key, withoutOurs(inner)])),
  }
}
