/** What the document lacks as @fastify/swagger makes it from the routes' schemas. */
import { ANNOTATIONS, FILE_KEYWORD } from '../request/body-schema.js'

interface Paths {
  [path: string]: { [method: string]: { requestBody?: { content?: Record<string, Content> } } }
}

interface Content {
  schema?: { properties?: object }
  encoding?: Record<string, object>
}

/**
 * How fields of a form are sent. @fastify/swagger 9 keeps nothing of a content type but its schema, so this cannot be
 * said where the body is declared.
 */
const ENCODING = {
  image: { contentType: 'image/jpeg, image/png, image/webp' },
  questions: { style: 'form', explode: true },
}

/** The document without the keywords that are our own, and with the encoding of its forms. */
export function documented<T extends object>(document: T): T {
  const clean = withoutOurs(document) as T & { paths?: Paths }
  for (const { requestBody } of Object.values(clean.paths ?? {}).flatMap(path => Object.values(path))) {
    const form = requestBody?.content?.['multipart/form-data']
    const fields = form?.schema?.properties ?? {}
    if (form) form.encoding = Object.fromEntries(Object.entries(ENCODING).filter(([field]) => field in fields))
  }
  return clean
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
