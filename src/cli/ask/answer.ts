/** Asks for the answers about one image: they go to stdout, what is to be known about them to stderr. */
import type { AnswerReply, AnswerRequest, CropVlmClient } from '../../client/client.js'
import type { World } from '../spec.js'
import type { ImageFile } from './images.js'

export interface AnswerTask {
  questions: readonly string[]
  /** Whether stdout needs to tell which answer is whose. */
  several: boolean
  json: boolean
  client: CropVlmClient
  options: Omit<AnswerRequest, 'image' | 'question'>
}

/** @throws ClientError, CliError failed */
export async function askAnswer(image: ImageFile, task: AnswerTask, world: World): Promise<void> {
  const { questions, several, json, client, options } = task
  const bytes = await image.read()
  for (const question of questions) {
    const reply = await client.answer({ image: bytes, question, ...options }, { signal: world.signal })
    if (json) world.stdout.write(`${JSON.stringify({ file: image.name, question, ...reply })}\n`)
    else {
      const cells = [image.name, question, reply.answer].map(cell => cell.replace(/[\t\r\n]+/g, ' '))
      world.stdout.write(several ? `${cells.join('\t')}\n` : `${reply.answer}\n`)
    }
    for (const line of notes(reply)) world.stderr.write(`${several ? `${image.name}: ` : ''}${line}\n`)
  }
}

/** What is to be known about an answer. */
function notes({
  bbox,
  decision,
  reason,
  confidence,
  target,
  finish_reason: finished,
  refusal,
  compare,
  warnings,
}: AnswerReply): string[] {
  const sure = confidence === null ? '' : `, confidence ${confidence.toFixed(2)}`
  return [
    `${target.name} (${target.model}) answered; box ${bbox.join(' ')}, ${decision}${reason === null ? '' : ` (${reason})`}${sure}`,
    ...(refusal === null ? [] : [`it declined: ${refusal}`]),
    ...(finished === 'length' ? ['the answer was cut off; raise --max-tokens'] : []),
    ...(compare
      ? [`without the crop: ${compare.refusal ?? compare.answer}${compare.agrees ? ' (the same)' : ''}`]
      : []),
    ...warnings,
  ]
}
