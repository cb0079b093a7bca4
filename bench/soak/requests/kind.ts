/** What a request of the soak is made from, and how it is judged. */

import type { Expectation } from './expect.js'
import type { Pictures } from './pictures.js'
import type { Message, Reply } from './send.js'

export interface World {
  url: string
  pictures: Pictures
  random: () => number
  /** Given the text of each reply of `/metrics`. */
  heard(metrics: string): void
}

export interface Prepared extends Message {
  path: string
  /**
   * Names what is asked about, where the same has been asked before: the boxes have to be the same. undefined: nothing to
   * compare.
   */
  same?: string
  /** Looks at a reply of status 200. @returns what is wrong with it; null where nothing is */
  check?(reply: Reply): string | null
}

export interface Kind {
  name: string
  /** How often it is sent, beside the others. */
  weight: number
  expect: Expectation
  /** Whether its picture is a file that was never sent before, so that caches have to make room for it. */
  isNew?: boolean
  prepare(world: World): Promise<Prepared> | Prepared
}

export const QUESTIONS = ['What is the total?', 'What is the date?', 'Who is the seller?'] as const

export function json(path: string, body: unknown): Prepared {
  return { path, type: 'application/json', body: Buffer.from(JSON.stringify(body)) }
}

/** A form as multipart/form-data. @param image null: none */
export async function form(
  path: string,
  image: Buffer | null,
  fields: Readonly<Record<string, string | readonly string[]>>,
): Promise<Prepared> {
  const data = new FormData()
  if (image) data.set('image', new Blob([new Uint8Array(image)]), 'page')
  for (const [name, value] of Object.entries(fields)) for (const text of [value].flat()) data.append(name, text)
  const response = new Response(data)
  return { path, type: response.headers.get('content-type') ?? '', body: Buffer.from(await response.arrayBuffer()) }
}

export function dataUrl(image: Buffer): string {
  return `data:image/jpeg;base64,${image.toString('base64')}`
}
