import { Template } from '@huggingface/jinja'
import { CropVlmError } from '../../errors.js'
import type { TextSettings } from '../folder/text.js'
import { withinTime } from '../time-limit.js'

/** What a prompt is made of beside the user's text. */
export interface PromptFormat extends TextSettings {
  /** `<image>` tokens that one tile becomes. */
  tokensPerTile: number
}

/** Tiles of one image; 0 where it is not split. */
interface TileCounts {
  rows: number
  cols: number
}

export const IMAGE = '<image>'
export const FAKE = '<fake_token_around_image>'
export const GLOBAL = '<global-img>'

/** How long the folder's template and patterns may take for one prompt, in milliseconds; they take a few. */
const MAX_PROMPT_MS = 1000
/** Most numbers of one `range` in a template. */
const MAX_RANGE = 10_000
/** Letters of what a template says is wrong: it may be the stranger's own text. */
const MAX_REASON = 300

/**
 * The prompt's token ids: the chat template around one user message, images first, in which each `<image>` is replaced
 * by the tokens of its tiles (transformers 5.18, processing_idefics3.py). The ids are those of transformers' processor,
 * except that special tokens in the user's text stay plain text.
 * @throws CropVlmError model_failed: the template or the tokenizer's patterns fail for it, or take too long
 */
export function promptIds(format: PromptFormat, images: readonly TileCounts[], text: string): number[] {
  try {
    return writePrompt(format, images, text)
  } catch (cause) {
    throw new CropVlmError(
      'model_failed',
      `The chat template and the patterns of the model's tokenizer could not write a prompt for this question (${reasonOf(cause)}). Ask it in other words, or use another model.`,
      { cause },
    )
  }
}

/**
 * The same.
 * @throws Error the template or the patterns fail, or take too long
 */
export function writePrompt(format: PromptFormat, images: readonly TileCounts[], text: string): number[] {
  return withinTime(MAX_PROMPT_MS, () => write(format, images, text))
}

/** Why no prompt could be written, in few words. */
export function reasonOf(cause: unknown): string {
  const why = cause instanceof Error ? cause.message : String(cause)
  return why.length > MAX_REASON ? `${why.slice(0, MAX_REASON)}...` : why
}

function write(format: PromptFormat, images: readonly TileCounts[], text: string): number[] {
  const { tokenizer, chatTemplate, templateTokens, tokensPerTile } = format
  const { disguised, reveal } = disguise(text, tokenizer.special)
  const content = [...images.map(() => ({ type: 'image' })), { type: 'text', text: disguised }]
  const template = new Template(chatTemplate)
  template.parsed.body.unshift(...BOUND_RANGE)
  const rendered = template.render({
    ...templateTokens,
    messages: [{ role: 'user', content }],
    add_generation_prompt: true,
    bounded_range: boundedRange,
  })
  const parts = rendered.split(IMAGE)
  if (parts.length !== images.length + 1)
    throw new Error(`the chat template writes ${parts.length - 1} images for ${images.length}`)
  const withTiles = parts.map((part, i) => {
    const image = images[i]
    return image ? part + imageText(image, tokensPerTile) : part
  })
  return tokenizer.encode(withTiles.join(''), reveal)
}

/** Put in front of every template: the library's own `range` would fill the memory, and cannot be replaced from outside. */
const BOUND_RANGE = new Template('{% set range = bounded_range %}').parsed.body

/** Python's `range`, bounded. */
function boundedRange(...numbers: number[]): number[] {
  const [first = 0, second, step = 1] = numbers
  const [start, stop] = second === undefined ? [0, first] : [first, second]
  const length = Math.max(0, Math.ceil((stop - start) / step))
  if (!(length <= MAX_RANGE))
    throw new Error(`the chat template makes a range of ${length}; at most ${MAX_RANGE} are made`)
  return Array.from({ length }, (_, i) => start + i * step)
}

/** The tokens that stand for one image, as text. */
function imageText({ rows, cols }: TileCounts, tokensPerTile: number): string {
  const tile = IMAGE.repeat(tokensPerTile)
  const global = `${FAKE}${GLOBAL}${tile}${FAKE}`
  if (rows === 0 || cols === 0) return global
  let text = ''
  for (let row = 1; row <= rows; row++) {
    for (let col = 1; col <= cols; col++) text += `${FAKE}<row_${row}_col_${col}>${tile}`
    text += '\n'
  }
  return `${text}\n${global}`
}

/**
 * Keeps special tokens in a user's text from being read as such, while those of the template around it are. Every
 * character with which a special token begins or ends is replaced by a private-use character that the text does not
 * contain; then no special token can be found in the text, nor across its edges. `reveal` undoes it.
 */
function disguise(text: string, special: readonly string[]) {
  const ends = [...new Set(special.flatMap(token => [[...token].at(0) ?? '', [...token].at(-1) ?? '']))]
  let base = 0x100000
  const cover = (i: number) => String.fromCodePoint(base + i)
  while (ends.some((_, i) => text.includes(cover(i)))) base += ends.length
  const covered = new Map(ends.map((end, i) => [end, cover(i)]))
  const bare = new Map(ends.map((end, i) => [cover(i), end]))
  const swap = (table: ReadonlyMap<string, string>, from: string) =>
    Array.from(from, character => table.get(character) ?? character).join('')
  return { disguised: swap(covered, text), reveal: (part: string) => swap(bare, part) }
}
