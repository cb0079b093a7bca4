/** The answer of a target in this process to a chat request. */
import { FULL_BOX } from '../../contract/box.js'
import type { Patience } from '../../engine/engine.js'
import { CropVlmError } from '../../errors.js'
import { checkImage } from '../../image/limits.js'
import type { Picture } from '../../image/picture.js'
import type { Target } from '../../target/target.js'
import { observed } from '../../zoom/answer.js'
import { shownTo, wholePicture } from '../../zoom/target-pictures.js'
import type { Image, Turn } from '../chat/conversation.js'
import type { CropFinder } from '../crop/find-crop.js'
import { imageBytes } from '../crop/image-bytes.js'
import type { Prepared } from '../prepare.js'
import type { LocalOptions } from './options.js'

/** One answer, or several, as every shape of reply needs them. */
export interface LocalAnswer {
  texts: readonly string[]
  /** Of all answers together; 0 of the text reader, which has no tokens. */
  promptTokens: number
  completionTokens: number
  /** Whether the answer was cut at the most tokens that it may have. */
  isCut: boolean
}

/**
 * Answers the newest question of a conversation about the last image that its turn sees, from the image and its crop. What
 * was said before is not shown to the model.
 * @throws CropVlmError missing_field, url_not_allowed, and what the target and the engine throw
 */
export async function localAnswer(
  finder: CropFinder,
  target: Target,
  json: Buffer,
  { chat, crops }: Pick<Prepared, 'chat' | 'crops'>,
  options: LocalOptions,
  patience: Patience,
): Promise<LocalAnswer> {
  const { turn, image } = asked(chat?.turns ?? [])
  const full = await fullPicture(finder, target, json, image, patience)
  const crop = crops.get(turn)?.at(-1)?.picture ?? null
  const { maxTokens, temperature, n } = options
  const request = { full, crop, question: turn.question, maxTokens, temperature, ...patience }
  const { observer } = finder.zoom
  const ask = () => observed(target, observer, () => target.answer(request))
  const answers = await Promise.all(Array.from({ length: n }, ask))
  const sum = (of: 'promptTokens' | 'completionTokens') =>
    answers.reduce((all, { usage }) => all + (usage?.[of] ?? 0), 0)
  return {
    texts: answers.map(({ text }) => text),
    promptTokens: sum('promptTokens') / n,
    completionTokens: sum('completionTokens'),
    isCut: answers.some(({ finishReason }) => finishReason === 'length'),
  }
}

/** @throws CropVlmError missing_field */
function asked(turns: readonly Turn[]): { turn: Turn; image: Image } {
  const turn = turns.findLast(({ question }) => question.trim() !== '')
  const image =
    turn &&
    turns
      .filter(({ message }) => message <= turn.message)
      .flatMap(({ images }) => images)
      .at(-1)
  if (image) return { turn, image }
  throw new CropVlmError(
    'missing_field',
    'The model in this process answers questions about an image: send a user message with a text and an image. For other requests set TARGET_BASE_URL and TARGET_MODEL to a server that answers them.',
    { param: 'messages' },
  )
}

/** The image upright, as the target gets it. */
async function fullPicture(
  { zoom: { engine }, images, config }: CropFinder,
  target: Target,
  json: Buffer,
  { source }: Image,
  patience: Patience,
): Promise<Picture> {
  const bytes = await imageBytes(images, json, source, patience)
  if (bytes === null)
    throw new CropVlmError(
      'url_not_allowed',
      'The model in this process needs the image itself: send it as a data URL.',
    )
  checkImage(bytes, config)
  const options = wholePicture(target, shownTo(target).full)
  const pictures = [{ ...options, show: 'whole', region: FULL_BOX, packing: 'fast' } as const]
  const result = await engine.run({ kind: 'render', image: bytes, pictures }, { ...patience, isSecondHalf: true })
  return result.pictures[0] as Picture
}
