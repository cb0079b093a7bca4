/** Requests that are as they should be, to the service's own routes. */
import { boxProblem } from '../../../src/contract/box.js'
import { jsonOf } from './expect.js'
import { dataUrl, form, json, type Kind, type Prepared, QUESTIONS, type World } from './kind.js'
import { oneOf } from './pictures.js'
import type { Reply } from './send.js'

const OK = { statuses: [200], engine: true }
/** A target that fails costs the answer, and tells the box. */
const OR_FAILED = { statuses: [200, 502, 504], engine: true }

/** What a burst is made of: cheap for the engine, so that the queue it fills is soon empty again. */
export const BURST = 'crop, given box'

/** Never chosen by chance: sent before memory is measured, so that what is kept for the largest picture is there by then. */
export const LARGEST = 'crop, form, largest'

/** Never chosen by chance: the same each time, and read anew. What is kept of the last picture is then the same at each rest. */
export const LAST = 'crop, form, before a rest'

/** A known picture and a question, with the name of the pair. */
function known({ pictures, random }: World): { image: Buffer; question: string; same: string } {
  const number = Math.floor(random() * pictures.known.length)
  const question = oneOf(QUESTIONS, random)
  return { image: pictures.known[number] as Buffer, question, same: `${number} ${question}` }
}

export const GOOD: readonly Kind[] = [
  {
    name: 'crop, form, known',
    weight: 8,
    expect: OK,
    async prepare(world) {
      const { image, question, same } = known(world)
      return withBox({ ...(await form('/crop', image, { question })), same })
    },
  },
  {
    name: 'crop, form, fresh',
    weight: 12,
    expect: OK,
    isNew: true,
    prepare: async ({ pictures, random }) =>
      withBox(await form('/crop', await pictures.fresh(), { question: oneOf(QUESTIONS, random) })),
  },
  {
    name: LARGEST,
    weight: 0,
    expect: OK,
    isNew: true,
    prepare: async ({ pictures, random }) =>
      withBox(await form('/crop', await pictures.largest(), { question: oneOf(QUESTIONS, random) })),
  },
  {
    name: LAST,
    weight: 0,
    expect: OK,
    prepare: async ({ pictures }) => withBox(await form('/crop', pictures.renamed(0), { question: QUESTIONS[0] })),
  },
  {
    name: 'crop, JSON, known',
    weight: 6,
    expect: OK,
    prepare(world) {
      const { image, question, same } = known(world)
      return withBox({ ...json('/crop', { image: dataUrl(image), question }), same })
    },
  },
  {
    name: 'crop, pictures',
    weight: 4,
    expect: OK,
    isNew: true,
    prepare: async ({ pictures, random }) =>
      withBox(
        await form('/crop', pictures.renamed(), {
          question: QUESTIONS[0],
          return: oneOf(['crop', 'overlay'], random),
          format: oneOf(['jpeg', 'png', 'webp'], random),
          expand: '2',
        }),
      ),
  },
  {
    name: BURST,
    weight: 2,
    expect: OK,
    prepare: async ({ pictures }) =>
      withBox(await form('/crop', pictures.renamed(), { question: QUESTIONS[0], box: '10,10,60,40', return: 'crop' })),
  },
  {
    name: 'crop, questions',
    weight: 2,
    expect: OK,
    isNew: true,
    prepare: ({ pictures }) => form('/crop', pictures.renamed(), { questions: QUESTIONS }),
  },
  {
    name: 'answer, steady target',
    weight: 4,
    expect: OK,
    async prepare(world) {
      const { image, question, same } = known(world)
      return withBox({ ...(await form('/answer', image, { question, target: 'steady' })), same })
    },
  },
  {
    name: 'answer, local target',
    weight: 2,
    expect: OK,
    prepare: ({ pictures }) =>
      json('/answer', { image: dataUrl(pictures.renamed()), question: QUESTIONS[0], target: 'local', max_tokens: 4 }),
  },
  {
    name: 'answer, shaky target',
    weight: 8,
    expect: OR_FAILED,
    prepare: async ({ pictures }) =>
      form('/answer', pictures.renamed(), { question: QUESTIONS[1], target: 'shaky', compare: 'true' }),
  },
]

/** Sees to it that the reply has a box. */
function withBox(prepared: Prepared): Prepared {
  return { ...prepared, check: reply => (boxOf(reply) === null ? 'there is no valid box' : null) }
}

/** The box of a reply of `/crop` or `/answer`, as text; null where there is none. */
export function boxOf(reply: Reply): string | null {
  const { bbox } = jsonOf(reply) ?? {}
  const isBox = Array.isArray(bbox) && bbox.length === 4 && bbox.every(Number.isInteger) && boxProblem(bbox) === null
  return isBox ? JSON.stringify(bbox) : null
}
