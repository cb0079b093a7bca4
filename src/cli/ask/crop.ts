/** Asks for the boxes of one image, writes its pictures and prints its boxes. */
import type { CropReply, CropRequest, CropVlmClient } from '../../client/client.js'
import type { World } from '../spec.js'
import type { ImageFile } from './images.js'
import { type Place, writePicture } from './pictures.js'

type Kind = 'overlay' | 'crop'

export interface CropTask {
  questions: readonly string[]
  /** Which pictures are wanted, and where each goes. */
  pictures: readonly { kind: Kind; placeOf(image: string): Place }[]
  json: boolean
  client: CropVlmClient
  options: Pick<CropRequest, 'resolution' | 'expand' | 'zoom'>
}

/** @throws ClientError, CliError failed */
export async function askCrop(image: ImageFile, task: CropTask, world: World): Promise<void> {
  const bytes = await image.read()
  const { questions, pictures, client, options } = task
  const ask = async (wish: Pick<CropRequest, 'return' | 'format'>): Promise<CropReply[]> => {
    const request = { image: bytes, ...options, ...wish }
    const [question = ''] = questions
    if (questions.length === 1) return [await client.crop({ ...request, question }, { signal: world.signal })]
    const list = await client.crop({ ...request, questions: [...questions] }, { signal: world.signal })
    const { object: _list, results, ...shared } = list
    return results.map(({ question: _sent, ...region }) => ({ object: 'crop', ...region, ...shared }))
  }
  let replies: CropReply[] | null = null
  // a request returns one kind of picture; the image is remembered, so that a second one costs little
  const written: Partial<Record<Kind, Place>>[] = questions.map(() => ({}))
  for (const { kind, placeOf } of pictures) {
    const places = questions.map(() => placeOf(image.name))
    const found = await ask({ return: kind, format: places[0]?.format ?? 'jpeg' })
    for (const [i, place] of places.entries()) {
      await writePicture(place, found[i]?.[kind]?.data ?? '', world)
      Object.assign(written[i] ?? {}, { [kind]: place })
    }
    replies = found.map((reply, i) => ({ ...replies?.[i], ...reply }))
  }
  replies ??= await ask({})
  for (const [i, reply] of replies.entries()) {
    const about = { file: image.name, question: questions[i] ?? '', reply, written: written[i] ?? {} }
    world.stdout.write(task.json ? jsonLine(about) : world.stdout.isTTY ? forPeople(about) : tabbed(about))
  }
  for (const warning of new Set(replies.flatMap(({ warnings }) => warnings)))
    world.stderr.write(`${image.name}: ${warning}\n`)
}

interface Found {
  file: string
  question: string
  reply: CropReply
  written: Partial<Record<Kind, Place>>
}

/** The reply; a picture that was written has its path in place of its data. */
function jsonLine({ file, question, reply, written }: Found): string {
  const pictures = Object.entries(written).map(([kind, { path }]) => {
    const { data: _data, ...about } = reply[kind as Kind] ?? {}
    return [kind, { ...about, path }]
  })
  return `${JSON.stringify({ file, question, ...reply, ...Object.fromEntries(pictures) })}\n`
}

function tabbed({ file, question, reply }: Found): string {
  const { bbox, bbox_pixels: pixels, decision, confidence, reason } = reply
  const cells = [file, bbox.join(' '), pixels.join(' '), decision, confidence?.toFixed(2) ?? '', reason ?? '', question]
  return `${cells.map(cell => cell.replace(/[\t\r\n]+/g, ' ')).join('\t')}\n`
}

function forPeople({ file, question, reply, written }: Found): string {
  const { bbox, bbox_pixels: pixels, image, decision, reason, confidence } = reply
  const rows = [
    ['box', `${bbox.join(' ')}   per cent: x1 y1 x2 y2`],
    ['pixels', `${pixels.join(' ')}   of ${image.width} x ${image.height}`],
    ['decision', reason === null ? decision : `${decision} (${reason})`],
    ['confidence', confidence?.toFixed(2) ?? 'not known'],
    ...Object.entries(written).map(([kind, { path }]) => [kind, path]),
  ]
  const lines = rows.map(([name = '', value = '']) => `  ${name.padEnd(12)}${value}\n`)
  return `${file}: ${question}\n${lines.join('')}`
}
