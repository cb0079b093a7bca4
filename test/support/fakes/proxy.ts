/** The proxy over a scripted engine, in front of a recording upstream. */
import type { Test } from 'tap'
import { png } from '../images/pictures.js'
import { type Env, listen } from './app.js'
import { type Recorder, recorder } from './recorder.js'
import type { Script } from './scripted-engine.js'

/** Larger than what the target sees, so that a crop may help. */
export const PAGE = png(1600, 1200)
export const PAGE_URL = `data:image/png;base64,${PAGE.toString('base64')}`

/** What the scripted engine gives as the crop, as the proxy writes it. */
export const CROP_URL = `data:image/png;base64,${Buffer.from('crop').toString('base64')}`

export const NOTE = 'The next picture is an enlarged part of image 1.'

/** A user's message with an image and a question. */
export function ask(question: string, url = PAGE_URL) {
  return {
    role: 'user',
    content: [
      { type: 'image_url', image_url: { url } },
      { type: 'text', text: question },
    ],
  }
}

export interface Proxied {
  url: string
  upstream: Recorder
  engine: Awaited<ReturnType<typeof listen>>['engine']
  app: Awaited<ReturnType<typeof listen>>['app']
  /** Sends bytes. */
  post(path: string, body: string | Buffer | object, headers?: Record<string, string>): Promise<Response>
}

/** @param env May hold another target. */
export async function proxied(
  t: Test,
  env: Env = {},
  script: Script = {},
  answer?: Parameters<typeof recorder>[1],
): Promise<Proxied> {
  const upstream = await recorder(t, answer)
  const target = env.TARGETS ? {} : { TARGET_BASE_URL: upstream.baseUrl, TARGET_MODEL: 'vlm', TARGET_FULL_EDGE: '512' }
  const { url, engine, app } = await listen(t, script, { ...target, ...env })
  const post = (path: string, body: string | Buffer | object, headers: Record<string, string> = {}) =>
    fetch(url + path, {
      method: 'POST',
      body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      headers: { 'content-type': 'application/json', ...headers },
    })
  return { url, upstream, engine, app, post }
}
