/** Asks the service about one row, and makes the row's record of the output. */
import { stat } from 'node:fs/promises'
import type { AnswerReply, AnswerRequest, CropReply, CropRequest, CropVlmClient } from '../../../client/client.js'
import { ClientError } from '../../../client/error.js'
import { readBounded, UnfitFile } from '../../../config/bounded-file.js'
import { isProblem, type Row, type RowImage } from '../input/row.js'
import { foundOf, type OutputRecord, type RowError, saidOf, startOf } from '../output/record.js'
import type { Crops } from './crops.js'
import type { Retrying } from './retrying.js'

export type Route = 'crop' | 'answer'

export interface AskOptions {
  client: CropVlmClient
  route: Route
  /** Options for all rows, as the API names them; a row's own stand above them. */
  options: Readonly<Record<string, unknown>>
  /** The hash of the options. */
  run: string
  crops: Crops | null
  retrying: Retrying
  /** The largest body that the service takes, in bytes. */
  maxBodyBytes: number
  /** Is given what the service says of its models. */
  warn(warning: string): void
}

/**
 * What is wrong with the row itself becomes a record with an error.
 * @throws ServiceLost, Stopped, CliError: the row has not been asked
 */
export async function askRow(row: Row, options: AskOptions): Promise<OutputRecord> {
  const start = startOf(row, options.run)
  const { content } = row
  if (isProblem(content)) return { ...start, error: { code: content.code, message: content.message, status: null } }
  const image = await readImage(content.image, options.maxBodyBytes)
  if (typeof image !== 'string' && 'code' in image) return { ...start, error: image }
  const given = { ...options.options, ...content.options, ...(options.crops ? { return: 'crop' } : {}) }
  const request = { ...given, image, question: content.question } as CropRequest & AnswerRequest
  let sent = 0
  try {
    const reply = await options.retrying.ask<CropReply | AnswerReply>(() => {
      sent = performance.now()
      return options.route === 'answer' ? options.client.answer(request) : options.client.crop(request)
    })
    const latency_ms = Math.round(10 * (performance.now() - sent)) / 10
    for (const warning of reply.warnings) options.warn(warning)
    const crop = options.crops && reply.crop ? { crop: await options.crops.write(start, reply.crop) } : {}
    const said = reply.object === 'answer' ? saidOf(reply) : {}
    return { ...start, error: null, ...foundOf(reply), ...crop, ...said, latency_ms }
  } catch (error) {
    if (!(error instanceof ClientError)) throw error
    return { ...start, error: rowError(error), ...foundBefore(error) }
  }
}

async function readImage(image: RowImage, maxBytes: number): Promise<Uint8Array | string | RowError> {
  if ('text' in image) return image.text
  try {
    const { size } = await stat(image.path)
    if (size > maxBytes)
      return {
        code: 'body_too_large',
        message: `${image.path} has ${size} bytes; the service takes ${maxBytes}.`,
        status: null,
      }
    return new Uint8Array(await readBounded(image.path, maxBytes))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    // the message of an unfit file is the end of a sentence
    const told = error instanceof UnfitFile ? `${image.path} ${message}; name an image file.` : message
    return { code: code === 'ENOENT' ? 'file_not_found' : 'file_unreadable', message: told, status: null }
  }
}

function rowError({ code, message, status }: ClientError): RowError {
  return { code, message, status }
}

/** The box that was found before the target failed. */
function foundBefore({ details }: ClientError): ReturnType<typeof foundOf> | Record<string, never> {
  const crop = details?.crop as CropReply | undefined
  return crop?.bbox && crop.image && crop.model ? foundOf(crop) : {}
}
