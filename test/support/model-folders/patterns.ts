import type { Json } from './broken.js'

/** A change of `tokenizer.json`: texts are split by this pattern first. */
export const splittingBy = (Regex: string) => (json: Json) => ({
  ...json,
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [{ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false }, json.pre_tokenizer],
  },
})
