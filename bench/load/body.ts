/** The body of a request, encoded before the request is sent. */
export interface Body {
  /** The header `content-type`, with the boundary. */
  type: string
  bytes: Buffer
}

/** The form of `POST /crop`. */
export async function cropForm(jpeg: Buffer<ArrayBuffer>, question: string): Promise<Body> {
  const form = new FormData()
  form.set('question', question)
  form.set('image', new Blob([jpeg], { type: 'image/jpeg' }), 'page.jpg')
  const response = new Response(form)
  return { type: response.headers.get('content-type') ?? '', bytes: Buffer.from(await response.arrayBuffer()) }
}
