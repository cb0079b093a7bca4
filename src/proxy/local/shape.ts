import type { LocalAnswer } from './answer.js'

/** What a reply says beside its texts. */
export interface ReplyHead {
  /** Without the API's own prefix. */
  id: string
  /** Unix seconds. */
  created: number
  model: string
  /** Whether a stream tells the tokens at its end. */
  includeUsage: boolean
}

/** One API's way to write an answer. */
export interface LocalShape {
  json(head: ReplyHead, answer: LocalAnswer): object
  /** The whole event stream: the engine gives an answer in one piece. */
  stream(head: ReplyHead, answer: LocalAnswer): string
}

/** An event, with its type as the stream's event name. */
export function namedEvent<T extends { type: string }>(event: T): string {
  return `event: ${event.type}\n${dataEvent(event)}`
}

export function dataEvent(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`
}
