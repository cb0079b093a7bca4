import { Tokenizer as HfTokenizer } from '@huggingface/tokenizers'

export interface Tokenizer {
  /** The id of a token of the vocabulary, special ones included; undefined where there is none. */
  id(token: string): number | undefined
  /**
   * Text that may hold special tokens, as the processor writes it. Never for a stranger's text, unless disguised:
   * each stretch of plain text goes through `reveal` once the special tokens are found.
   */
  encode(text: string, reveal?: (plain: string) => string): number[]
  /** Text in which nothing is special: `<image>` comes out as the characters it is made of. */
  encodePlain(text: string): number[]
  /** Special tokens are left out. */
  decode(ids: readonly number[]): string
  /** Contents of the tokens that `encode` treats as special. */
  readonly special: readonly string[]
}

interface AddedToken {
  id: number
  content: string
  lstrip?: boolean
  rstrip?: boolean
}

type Json = { [key: string]: unknown }

/** A `tokenizer.json` (with its `tokenizer_config.json`) as a tokenizer. Throws where the library cannot read it. */
export function makeTokenizer(tokenizerJson: Json, tokenizerConfig: Json): Tokenizer {
  const added = (tokenizerJson.added_tokens ?? []) as AddedToken[]
  const definition = { ...tokenizerJson, pre_tokenizer: exactPreTokenizer(tokenizerJson) }
  const config = { clean_up_tokenization_spaces: false, ...tokenizerConfig }
  const full = new HfTokenizer(definition, config)
  const plain = new HfTokenizer({ ...definition, added_tokens: [] }, config)
  const ids = new Map(added.map(({ content, id }) => [content, id]))
  const specials = specialPattern(added)

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
    decode: tokens => (tokens.length === 0 ? '' : full.decode([...tokens], { skip_special_tokens: true })),
  }
}

/** Finds added tokens in a text, the longest first, with the white space that they swallow. */
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

// GPT-2's split (tokenizers, pre_tokenizers/byte_level.rs), with Unicode's white space instead of JavaScript's `\s`,
// which counts U+FEFF in and U+0085 out.
const WORDS = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+`

/**
 * The same pre-tokenizer, written so that this library splits as Hugging Face's own does: its `Digits` knows only
 * 0-9, theirs every Unicode number (`٣`, `²`); its `ByteLevel` takes JavaScript's idea of white space; and bytes that
 * the vocabulary lacks have to be gone before its BPE merges what stands around them.
 */
function exactPreTokenizer({ pre_tokenizer: preTokenizer, model }: Json): unknown {
  const unknown = unknownBytes(model as Json)
  const exact = (node: unknown): unknown => {
    if (node === null || typeof node !== 'object') return node
    const { type, pretokenizers, individual_digits, use_regex, add_prefix_space } = node as Json
    if (type === 'Sequence') return { ...node, pretokenizers: (pretokenizers as unknown[]).map(exact) }
    if (type === 'Digits') return isolated(individual_digits ? '\\p{N}' : '\\p{N}+')
    if (type !== 'ByteLevel') return node
    // A prefix space would have to be put before the split; no Idefics3 folder asks for one.
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

/** Byte-level characters that the vocabulary lacks and that no unknown token stands for. */
function unknownBytes(model: Json): string {
  if (model.unk_token != null) return ''
  const vocabulary = model.vocab as Json
  const printable = (code: number) => (code > 32 && code < 127) || (code > 160 && code !== 173)
  // GPT-2's table: printable bytes stand for themselves, the other 68 follow from U+0100 on.
  const codes = Array.from({ length: 256 }, (_, byte) => byte).filter(printable)
  for (let extra = 0; extra < 68; extra++) codes.push(256 + extra)
  return (
    codes
      .map(code => String.fromCharCode(code))
      .filter(character => !Object.hasOwn(vocabulary, character))
      // They stand between brackets, where a bare `-` would make a range of its neighbours.
      .map(character => (character === '-' ? '\\-' : escapeRegex(character)))
      .join('')
  )
}
