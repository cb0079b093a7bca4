import { Template } from '@huggingface/jinja'
import type { TextSettings } from '../folder/text.js'

/** What a prompt is made of beside the user's text. */
export interface PromptFormat extends TextSettings {
  /** `<image>` tokens that one tile becomes. */
  tokensPerTile: number
}

export const IMAGE = '<image>'
export const FAKE = '<fake_token_around_image>'
export const GLOBAL = '<global-img>'

/**
 * The prompt's token ids: the chat template around one user message, images first, in which each `<image>` is replaced
 * by the tokens of its tiles (transformers 5.18, processing_idefics3.py). The ids are those of transformers' processor,
 * except that special tokens in the user's text stay plain text.
 */
export function promptIds(
  format: PromptFormat,
  images: readonly { rows: number; cols: number }[],
  text: string,
): number[] {
  const { tokenizer, chatTemplate, templateTokens, tokensPerTile } = format
  const { disguised, reveal } = disguise(text, tokenizer.special)
  const content = [...images.map(() => ({ type: 'image' })), { type: 'text', text: disguised }]
  const rendered = new Template(chatTemplate).render({
    ...templateTokens,
    messages: [{ role: 'user', content }],
    add_generation_prompt: true,
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

/** The tokens that stand for one image, as text. */
function imageText({ rows, cols }: { rows: number; cols: number }, tokensPerTile: number): string {
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
