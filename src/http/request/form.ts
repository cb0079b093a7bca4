/** Reads a multipart form into memory under hard limits: what is over them is thrown away as it arrives. */
import { isUtf8 } from 'node:buffer'
import type { FastifyRequest } from 'fastify'
import { CropVlmError } from '../../errors.js'
import { sniffImage } from '../../image/limits.js'
import { tooLarge } from '../plugins/body-budget.js'
import { deadlineOf } from '../plugins/deadline.js'
import { decodeBase64 } from './base64.js'

export interface FormLimits {
  /** Of the whole body, in bytes. */
  maxBytes: number
  /** Of one text field, in bytes. */
  maxTextBytes: number
  /** Called with each field's name before its content is read; throws to refuse it. */
  checkName: (name: string) => void
  /** Whether a text field may be sent more than once. */
  mayRepeat: (name: string) => boolean
}

export interface Form {
  image: Buffer | null
  /** Text fields by name, each with all its texts in order. Never empty. */
  texts: Map<string, string[]>
  /** Names of fields whose text was cut at `maxTextBytes`. */
  truncated: Set<string>
}

const MAX_FIELDS = 64

/**
 * @throws CropVlmError body_too_large, invalid_body, invalid_option, request_aborted, and what `checkName` throws
 */
export async function readForm(request: FastifyRequest, limits: FormLimits): Promise<Form> {
  const { raw } = request
  const { signal } = deadlineOf(request)
  let size = 0
  let stop: (error: Error) => void = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = reject
  })
  stopped.catch(() => {})
  const count = (chunk: Buffer) => {
    size += chunk.length
    if (size > limits.maxBytes) stop(tooLarge(limits.maxBytes))
  }
  const onAbort = () => stop(new CropVlmError('request_aborted', 'The client went away.'))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const reading = readParts(request, limits)
    // the parser is piped by now, so that listening takes nothing away from it
    raw.on('data', count)
    return await Promise.race([reading, stopped])
  } catch (error) {
    throw unreadable(error)
  } finally {
    signal.removeEventListener('abort', onAbort)
    raw.off('data', count)
    // after an error what is left of the body is discarded, so that the client can read the reply
    raw.unpipe()
    raw.resume()
  }
}

async function readParts(request: FastifyRequest, limits: FormLimits): Promise<Form> {
  const form: Form = { image: null, texts: new Map(), truncated: new Set() }
  const parts = request.parts({
    // clients write an image as a file without a filename, or without a type; what it holds then tells whether it is one
    isPartAFile: (name, type, filename) =>
      name === 'image' || filename !== undefined || type === 'application/octet-stream',
    limits: {
      fileSize: limits.maxBytes,
      files: 2,
      fieldSize: limits.maxTextBytes,
      fields: MAX_FIELDS,
      parts: MAX_FIELDS + 2,
      fieldNameSize: 100,
      headerPairs: 20,
    },
  })
  for await (const part of parts) {
    // typed as a string, but a part need not have a name
    const name: string | undefined = part.fieldname
    if (name === undefined) throw new CropVlmError('invalid_body', 'A part of the form has no name; give each one.')
    limits.checkName(name)
    if ((form.texts.has(name) && !limits.mayRepeat(name)) || (name === 'image' && form.image))
      throw new CropVlmError('invalid_option', `\`${name}\` was sent twice; send it once.`, { param: name })
    if (part.type === 'file') {
      if (name !== 'image')
        throw new CropVlmError('invalid_option', `\`${name}\` was sent as a file; send it as text.`, { param: name })
      const bytes = await part.toBuffer()
      // old clients; browsers and today's libraries send the bytes themselves
      if (part.encoding === 'base64') form.image = decodeBase64(bytes.toString('latin1'))
      else if (isText(part, bytes)) form.texts.set(name, [bytes.toString()])
      else form.image = bytes
    } else {
      // a part that says it is JSON has been parsed by the plugin
      const text = typeof part.value === 'string' ? part.value : JSON.stringify(part.value)
      form.texts.set(name, [...(form.texts.get(name) ?? []), text])
      if (part.valueTruncated) form.truncated.add(name)
    }
  }
  return form
}

/** Whether an `image` that nothing declares to be a file is none: a link, base64, or a field left blank. */
function isText({ filename, mimetype }: { filename?: string; mimetype: string }, bytes: Buffer): boolean {
  return filename === undefined && mimetype.startsWith('text/') && isUtf8(bytes) && sniffImage(bytes) === null
}

/** The parser's own errors have neither a code nor a status. A `TypeError` is not the form's fault but a bug. */
function unreadable(error: unknown): unknown {
  if (!(error instanceof Error) || 'code' in error || error instanceof TypeError) return error
  return new CropVlmError('invalid_body', `The form cannot be read: ${error.message}.`, { cause: error })
}
