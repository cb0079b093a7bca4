import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers'
import { withinTime } from '../time-limit.js'

/** How long a decoder's patterns may take for one answer, in milliseconds; they take a fraction of one. */
export const MAX_DECODE_MS = 1000

export interface Tokenizer {
  /** The id of a token of the vocabulary, special tokens included; undefined if there is no such token. */
  id(token: string): number | undefined
  /**
   * Encodes text in which special tokens count as such. A user's text may be part of it only in disguise (see
   * `prompt.ts`): `reveal` is applied to each stretch of plain text, after the special tokens have been found.
   */
  encode(text: string, reveal?: (plain: string) => string): number[]
  /** Encodes text in which nothing is special: `<image>` becomes the tokens of its characters. */
  encodePlain(text: string): number[]
  /** The text of tokens; special tokens are left out. @throws TimeLimitError where a pattern takes too long for it */
  decode(ids: readonly number[]): string
  /** The tokens that `encode` treats as special, as text. */
  readonly special: readonly string[]
}

interface AddedToken {
  id: number
  content: string
  lstrip?: boolean
  rstrip?: boolean
}

type Json = { [key: string]: unknown }

/**
 * Makes a tokenizer from `tokenizer.json` and `tokenizer_config.json`. Throws an Error if the library cannot read them.
 */
export function makeTokenizer(tokenizerJson: Json, tokenizerConfig: Json): Tokenizer {
  const added = (tokenizerJson.added_tokens ?? []) as AddedToken[]
  const definition = { ...tokenizerJson, pre_tokenizer: exactPreTokenizer(tokenizerJson) }
  const config = { clean_up_tokenization_spaces: false, ...tokenizerConfig }
  const full = new HfTokenizer(definition, config)
  const plain = new HfTokenizer({ ...definition, added_tokens: [] }, config)
  const ids = new Map(added.map(({ content, id }) => [content, id]))
  const specials = specialPattern(added)

  const decode = (tokens: readonly number[]) => full.decode([...tokens], { skip_special_tokens: true })
  // it costs a small model's answer some per cent of its time, and hardly any tokenizer needs it
  const decodeInTime = hasPattern(tokenizerJson.decoder)
    ? (tokens: readonly number[]) => withinTime(MAX_DECODE_MS, () => decode(tokens))
    : decode

  const encodePlain = (text: string): number[] =>
    text === '' ? [] : plain.encode(text.replace(/\p{Surrogate}/gu, '\ufffd'), { add_special_tokens: false }).ids

  return {
    special: [...ids.keys()],
    id: token => ids.get(token) ?? full.token_to_id(token),
    encodePlain,
    encode(text, reveal = plain => plain) {
      if (!specials) return encodePlain(reveal(text))
      // `split` with one capturing group gives plain text and special token in turn.
      return text.split(specials).flatMap((part, i) => {
        const id = i % 2 === 1 ? ids.get(part) : undefined
        return id === undefined ? encodePlain(reveal(part)) : [id]
      })
    },
    decode: tokens => (tokens.length === 0 ? '' : decodeInTime(tokens)),
  }
}

/** Whether a decoder, or one within it, has a regular expression. */
function hasPattern(decoder: unknown): boolean {
  if (decoder === null || typeof decoder !== 'object') return false
  return Object.hasOwn(decoder, 'Regex') || Object.values(decoder).some(hasPattern)
}

/** Matches the special tokens of a text, the longest first, with the white space around them that they absorb. */
function specialPattern(added: readonly AddedToken[]): RegExp | null {
  if (added.length === 0) return null
  const longestFirst = [...added].sort((a, b) => b.content.length - a.content.length)
  const either = longestFirst.map(({ content }) => escapeRegex(content)).join('|')
  const before = longestFirst.filter(token => token.lstrip).map(({ content }) => escapeRegex(content))
  const after = longestFirst.filter(token => token.rstrip).map(({ content }) => escapeRegex(content))
  const strip = (contents: string[], lookaround: (either: string) => string) =>
    contents.length === 0 ? '' : lookaround(contents.join('|'))
  return new RegExp(
    `${strip(before, tokens => `(?:\\s+(?=${tokens}))?`)}(${either})${strip(after, tokens => `(?:(?<=${tokens})\\s+)?`)}`,
    'u',
  )
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

// GPT-2's pattern for words (tokenizers, pre_tokenizers/byte_level.rs), with Unicode's white space instead of
// JavaScript's `\s`, to which U+FEFF belongs and U+0085 does not.
const WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`

/**
 * Rewrites the pre-tokenizer of `tokenizer.json` so that @huggingface/tokenizers 0.2.0 splits text as the Python
 * library does. Each step can go once the JavaScript library does the same: its `Digits` knows only 0-9, and not every
 * Unicode number (`٣`, `²`); its `ByteLevel` uses JavaScript's white space; and its BPE keeps bytes that the vocabulary
 * lacks, where Python's drops them before it merges their neighbours.
 */
function exactPreTokenizer({ pre_tokenizer: preTokenizer, model }: Json): unknown {
  const unknown = unknownBytes(model as Json)
  const exact = (node: unknown): unknown => {
    if (node === null || typeof node !== 'object') return node
    const { type, pretokenizers, individual_digits, use_regex, add_prefix_space } = node as Json
    if (type === 'Sequence') return { ...node, pretokenizers: (pretokenizers as unknown[]).map(exact) }
    if (type === 'Digits') return isolated(individual_digits ? '\\p{N}' : '\\p{N}+')
    if (type !== 'ByteLevel') return node
    // A prefix space would have to be inserted before the text is split; no Idefics3 folder asks for one.
    const isExact = use_regex === false || add_prefix_space === true
    const steps = isExact ? [node] : [isolated(WORDS), { ...node, use_regex: false }]
    if (unknown !== '') steps.push({ type: 'Replace', pattern: { Regex: `[${unknown}]` }, content: '' })
    return { type: 'Sequence', pretokenizers: steps }
  }
  return exact(preTokenizer)
}

function isolated(regex: string) {
  return { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false }
}

/** The characters that stand for bytes which the vocabulary lacks; none if it has a token for what is unknown. */
function unknownBytes(model: Json): string {
  if (model.unk_token != null) return ''
  const vocabulary = model.vocab as Json
  const printable = (code: number) => (code > 32 && code < 127) || (code > 160 && code !== 173)
  // GPT-2's table: printable bytes are their own characters, the other 68 are the characters from U+0100 on.
  const codes = Array.from({ length: 256 }, (_, byte) => byte).filter(printable)
  for (let extra = 0; extra < 68; extra++) codes.push(256 + extra)
  return (
    codes
      .map(code => String.fromCharCode(code))
      .filter(character => !Object.hasOwn(vocabulary, character))
      // They are put between brackets, where a bare `-` would make a range of its neighbours.
      .map(character => (character === '-' ? '\\-' : escapeRegex(character)))
      .join('')
  )
}
