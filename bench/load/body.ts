/** The bodies of `POST /crop`: Node encodes the form of each picture once, so that sending stays cheap. */
import { commented } from '../picture.js'

export interface Form {
  /** The header `content-type`, with the boundary. */
  type: string
  /** The body of a request whose picture has this comment in its file. */
  body(comment: string): Buffer
}

export async function cropForm(jpeg: Buffer, question: string): Promise<Form> {
  const form = new FormData()
  form.set('question', question)
  form.set('image', new Blob([new Uint8Array(jpeg)], { type: 'image/jpeg' }), 'page.jpg')
  const response = new Response(form)
  const bytes = Buffer.from(await response.arrayBuffer())
  const start = bytes.indexOf(jpeg)
  const [before, after] = [bytes.subarray(0, start), bytes.subarray(start + jpeg.length)]
  return {
    type: response.headers.get('content-type') ?? '',
    body: comment => Buffer.concat([before, commented(jpeg, comment), after]),
  }
}
