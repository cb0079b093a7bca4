export interface CropQuestion {
  /** An image file's bytes. */
  image: Uint8Array<ArrayBuffer>
  /** The file's name. */
  name: string
  question: string
  /** Longest edge in pixels that the model looks at. Default: the service's own. */
  resolution?: number
}

/** What is read of a reply of `/crop`. */
export interface CropReply {
  bbox: [number, number, number, number]
  /** `fallback`: the box is the whole image. */
  decision: 'zoomed' | 'fallback'
  confidence: number | null
  /** `tiles` is null where no model looked at the image, as with the text cropper. */
  model: { tiles: number | null }
  timings_ms: Record<string, number>
}

/**
 * Asks the service for a box.
 * @throws Error: the service gave none; the message has its reply
 */
export async function askCrop(url: string, { image, name, question, resolution }: CropQuestion): Promise<CropReply> {
  const form = new FormData()
  form.set('question', question)
  if (resolution !== undefined) form.set('resolution', String(resolution))
  form.set('image', new Blob([image]), name)
  const response = await fetch(`${url}/crop`, { method: 'POST', body: form })
  if (!response.ok)
    throw new Error(`/crop answers ${response.status} for ${name}: ${(await response.text()).slice(0, 300)}`)
  return (await response.json()) as CropReply
}
