/** Requests that are wrong, each with the one status that it has to have, whatever else goes on. */
import { deflateSync } from 'node:zlib'
import { form, json, type Kind, type Prepared, QUESTIONS, type World } from './kind.js'

/** What `MAX_BODY_BYTES` of the soak's service is. */
export const MAX_BODY_BYTES = 4 * 2 ** 20

const [QUESTION] = QUESTIONS
const [TEXT, HUGE_PNG] = [Buffer.from('This is no picture, only text.'), headerOnlyPng(20_000, 20_000)]

type Prepare = (world: World) => Promise<Prepared> | Prepared

/** The service finds all of it before it asks the engine. */
const BAD: readonly (readonly [name: string, status: number, prepare: Prepare])[] = [
  ['no image', 400, () => form('/crop', null, { question: QUESTION })],
  ['an empty image', 400, () => form('/crop', Buffer.alloc(0), { question: QUESTION })],
  ['no question', 400, ({ pictures }) => form('/crop', pictures.renamed(), {})],
  ['an unknown field', 400, ({ pictures }) => form('/crop', pictures.renamed(), { question: QUESTION, zooom: '1' })],
  ['a wrong option', 400, ({ pictures }) => form('/answer', pictures.renamed(), { question: QUESTION, expand: '99' })],
  ['a long question', 400, ({ pictures }) => form('/crop', pictures.renamed(), { question: 'why '.repeat(2000) })],
  ['an unknown target', 400, ({ pictures }) => form('/answer', pictures.renamed(), { question: 'a', target: 'none' })],
  ['half of a JSON text', 400, () => ({ ...json('/crop', {}), body: Buffer.from('{"question": "a", "image": ') })],
  ['deep JSON', 400, () => ({ ...json('/crop', {}), body: Buffer.from('['.repeat(100_000)) })],
  ['bad base64', 400, () => json('/answer', { image: '*'.repeat(1000), question: QUESTION })],
  [
    'a link to a port that is not fetched from',
    400,
    ({ url }) => json('/crop', { image: `${url}/page/picture.png`, question: QUESTION }),
  ],
  ['no such path', 404, () => ({ method: 'GET', path: '/nothing' })],
  ['a wrong method', 405, () => ({ method: 'GET', path: '/crop' })],
  ['a body over the limit', 413, () => ({ ...json('/crop', {}), body: Buffer.alloc(MAX_BODY_BYTES + 1, 32) })],
  ['a picture over the limit', 413, () => form('/crop', HUGE_PNG, { question: QUESTION })],
  ['text as image', 415, () => form('/answer', TEXT, { question: QUESTION })],
  ['a wrong content type', 415, () => ({ path: '/crop', type: 'text/csv', body: TEXT })],
]

export const BAD_KINDS: readonly Kind[] = [
  ...BAD.map(
    ([name, status, prepare]): Kind => ({
      name: `bad: ${name}`,
      weight: 0.6,
      // a path and a method are found wrong before anything else
      expect: { statuses: [status], engine: status !== 404 && status !== 405 },
      prepare,
    }),
  ),
  {
    // its header is whole: the engine finds out
    name: 'bad: half of a JPEG',
    weight: 1,
    expect: { statuses: [422], engine: true },
    prepare: ({ pictures }) => {
      const whole = pictures.renamed()
      return form('/crop', whole.subarray(0, Math.floor(whole.length / 2)), { question: QUESTION })
    },
  },
]

/** A PNG whose header states this size, with hardly any data. */
function headerOnlyPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(25)
  header.writeUInt32BE(13, 0)
  header.write('IHDR', 4, 'latin1')
  header.writeUInt32BE(width, 8)
  header.writeUInt32BE(height, 12)
  header.set([8, 0, 0, 0, 0], 16)
  const data = deflateSync(Buffer.alloc(64))
  const chunk = Buffer.alloc(8)
  chunk.writeUInt32BE(data.length, 0)
  chunk.write('IDAT', 4, 'latin1')
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), header, chunk, data, Buffer.alloc(4)])
}
