import type { Logger } from 'pino'
import { CropVlmError } from '../errors.js'
import type { Picture } from '../image/picture.js'
import type { Target } from './target.js'

/** A blue square on white, 64x64: no side is too small for any model. */
const PICTURE: Picture = {
  mediaType: 'image/png',
  width: 64,
  height: 64,
  bytes: Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAYAAACqaXHeAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAaklEQVR42u3aoREAAAgCQPZfWgcwmQw+d1TCZ1LPEwAAAAAAAAAAAAAAAAAAAADAfiC3BQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA4SAAAAAAAAAAAAAAAAAAAAAAAARhpNhss69UXRFAAAAABJRU5ErkJggg==',
    'base64',
  ),
}

const HOUR_MS = 3_600_000

/**
 * Asks each target that is an endpoint once, all at the same time, so that they have loaded their models before the first
 * request comes. How it went is one line of the log for each; nothing is thrown.
 */
export async function warmUp(targets: Iterable<Target>, log: Logger): Promise<void> {
  await Promise.all([...targets].filter(({ local }) => !local).map(target => askOnce(target, log)))
}

async function askOnce(target: Target, log: Logger): Promise<void> {
  const start = performance.now()
  const about = () => ({ target: target.name, model: target.model, ms: Math.round(performance.now() - start) })
  try {
    await target.answer({
      full: PICTURE,
      crop: null,
      question: 'What colour is the square?',
      maxTokens: 64,
      temperature: 0,
      signal: new AbortController().signal,
      // longer than the target's own timeout can be, which is to end it
      deadline: Date.now() + 2 * HOUR_MS,
    })
    log.info(about(), `the target ${target.name} has answered, and is warm`)
  } catch (error) {
    const { code, message } = CropVlmError.from(error)
    log.warn({ ...about(), code }, `the target ${target.name} was asked to warm up: ${message}`)
  }
}
