/** The service, as the page asks it. All addresses are relative to the page, so that a proxy's path prefix stays in them. */
import { askForKey, storedKey } from './key.js'

/** @typedef {import('@sinclair/typebox').Static<typeof import('../../http/reply/schemas.js').ANSWER_REPLY>} AnswerReply */
/** @typedef {import('@sinclair/typebox').Static<typeof import('../../http/reply/schemas.js').CROP_REPLY>} CropReply */
/** @typedef {import('@sinclair/typebox').Static<typeof import('../../http/reply/info-schema.js').INFO_REPLY>} Info */
/** @typedef {import('@sinclair/typebox').Static<typeof import('../../http/reply/error-schema.js').ERROR_REPLY>} ErrorBody */
/** @typedef {import('../../contract/box.js').Box} Box */
/** @typedef {{ question: string, box: Box | null, target: string | null }} Question */

/** Why there is no answer, in words for the person who asked. */
export class Problem extends Error {
  /**
   * @param {string} message
   * @param {{ code?: string, requestId?: string, retryAfter?: string | null, crop?: CropReply | null }} more
   *   `crop` is the region that was found before the target failed
   */
  constructor(message, { code = '', requestId = '', retryAfter = null, crop = null } = {}) {
    super(message)
    this.code = code
    this.requestId = requestId
    this.retryAfter = retryAfter
    this.crop = crop
  }
}

/**
 * The fields of `/answer` beside the image. The snippets show the same.
 * @param {Question} question
 * @returns {[name: string, value: string | true][]}
 */
export function fieldsOf({ question, box, target }) {
  return [
    ['question', question],
    ['compare', true],
    ...(target === null ? [] : [/** @type {[string, string]} */ (['target', target])]),
    ...(box === null ? [] : [/** @type {[string, string]} */ (['box', box.join(',')])]),
  ]
}

/** The absolute address of a route. */
export function addressOf(/** @type {string} */ route) {
  return new URL(route, document.baseURI).href
}

/**
 * What runs here.
 * @returns {Promise<Info>}
 * @throws {Problem}
 */
export async function getInfo() {
  return await send('info', { cache: 'no-store' })
}

/**
 * Asks for a region and both answers, from it and without it.
 * @param {File} image
 * @param {Question} question
 * @param {AbortSignal} signal
 * @returns {Promise<AnswerReply>}
 * @throws {Problem}
 */
export async function answer(image, question, signal) {
  const body = new FormData()
  body.set('image', image)
  for (const [name, value] of fieldsOf(question)) body.set(name, String(value))
  return await send('answer', { method: 'POST', body, signal })
}

/**
 * Sends a request, again with a key where the service asks for one and a person gives it.
 * @param {string} route
 * @param {RequestInit} init
 * @throws {Problem}
 */
async function send(route, init) {
  for (;;) {
    const key = storedKey()
    const headers = key === null ? {} : { authorization: `Bearer ${key}` }
    const response = await fetch(addressOf(route), { ...init, headers }).catch(error => {
      if (error.name === 'AbortError') throw new Problem('The request was cancelled.', { code: 'cancelled' })
      throw new Problem('The service cannot be reached, or it closed the connection.', { code: 'unreachable' })
    })
    const body = await response.json().catch(() => null)
    if (response.ok && body !== null) return body
    const problem = problemOf(response, body)
    if (response.status !== 401 || !(await askForKey(problem.message))) throw problem
  }
}

/**
 * @param {Response} response
 * @param {ErrorBody | null} body null where it is no JSON, as from a proxy that stands in front
 */
function problemOf({ status, headers }, body) {
  const error = body?.error
  if (!error) return new Problem(`The server answered with status ${status}.`, { code: `http_${status}` })
  const crop = /** @type {CropReply | null} */ (error.details?.crop ?? null)
  const { message, code } = error
  return new Problem(message, { code, requestId: body.request_id, retryAfter: headers.get('retry-after'), crop })
}
