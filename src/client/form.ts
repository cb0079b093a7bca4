/** The bodies of the client's requests. */

/** A picture: its bytes (JPEG, PNG or WebP), or a text: a data URL, base64, or a link that the service allows. */
export type ImageInput = Uint8Array | ArrayBuffer | Blob | string

/** JSON where the image is a text; else a form, which the service reads as it arrives. */
export function imageBody(request: { image: ImageInput }): Pick<RequestInit, 'body' | 'headers'> {
  const { image, ...fields } = request
  if (typeof image === 'string') return jsonBody(request)
  const body = new FormData()
  // fields first: they are read before the file has arrived
  for (const [name, value] of Object.entries(fields))
    if (value !== undefined && value !== null)
      body.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  body.set('image', image instanceof Blob ? image : new Blob([image as Uint8Array<ArrayBuffer>]), 'image')
  return { body }
}

export function jsonBody(value: object) {
  return { body: JSON.stringify(value), headers: { 'content-type': 'application/json' } }
}
