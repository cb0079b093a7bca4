/** `POST /crop`'s body, built once before anything is timed. */
const BOUNDARY = 'cropvlm-bench-boundary'

export const CONTENT_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

export function multipart(jpeg: Buffer, question: string): Buffer {
  const field = (name: string) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"`
  return Buffer.concat([
    Buffer.from(`${field('question')}\r\n\r\n${question}\r\n`),
    Buffer.from(`${field('image')}; filename="page.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`),
    jpeg,
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ])
}
