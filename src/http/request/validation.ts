/** How Fastify's Ajv validates bodies: nothing is coerced or removed, and what was left out gets its default. */
import type { Options } from 'ajv'
import { ANNOTATIONS, FILE_KEYWORD } from './body-schema.js'

export const AJV_OPTIONS: Options = {
  coerceTypes: false,
  removeAdditional: false,
  useDefaults: true,
  allErrors: false,
  // `bodyError` reads the annotations of the schema that did not fit
  verbose: true,
  validateSchema: false,
  keywords: [{ keyword: FILE_KEYWORD, validate: (_: unknown, data: unknown) => Buffer.isBuffer(data) }, ...ANNOTATIONS],
}
