/**
 * White space of a question, decided here for every route and, in `trainer/cropvlm_trainer/contract.py`, for the trainer:
 * a question pasted with a line break is the question without it. A target gets it `stripped`; what finds the box, and the
 * prompts of the contract, get it on `oneLine`.
 *
 * White space is what Python's `str.isspace` or JavaScript's `\s` takes (they differ in U+001C..1F, U+0085 and U+FEFF), and
 * the zero-width space and word joiner. The zero-width joiners are letters' business and stay.
 */
const WHITE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200b\\u2028\\u2029\\u202f\\u205f\\u2060\\u3000\\ufeff]'
const START = new RegExp(`^${WHITE}+`)
const WHITE_ONE = new RegExp(WHITE)
const RUN = new RegExp(`${WHITE}+`, 'g')

/** The text without white space at its ends. */
export function stripped(text: string): string {
  let end = text.length
  // not /[ ]+$/, which takes quadratic time over a long run of spaces inside the text
  while (end > 0 && WHITE_ONE.test(text.charAt(end - 1))) end -= 1
  return text.slice(0, end).replace(START, '')
}

/** The text without white space at its ends, and with one space for each run of it inside. */
export function oneLine(text: string): string {
  return stripped(text).replace(RUN, ' ')
}
