/** Whether a tokenizer that a stranger's `tokenizer.json` makes is one. */
import { withinTime } from '../time-limit.js'
import type { Tokenizer } from './tokenizer.js'

/** Words, digits, marks and white space of several scripts, and a letter that no vocabulary has. */
const TEXT = "What's the total?  <image>Größe 42,50\n\t٣² 漢字 🙂 \ufeff\u{10fffd}"
/** How long it may take, in milliseconds; it takes one. */
export const MAX_PROBE_MS = 1000

/**
 * Encodes and decodes a text. Throws an Error if that fails or gives what is no id of a token, and TimeLimitError if it takes
 * too long.
 */
export function probe(tokenizer: Tokenizer): void {
  withinTime(MAX_PROBE_MS, () => {
    for (const ids of [
      tokenizer.encode(TEXT),
      tokenizer.encodePlain(TEXT),
      tokenizer.encode(tokenizer.special.join('')),
    ]) {
      const wrong = ids.findIndex(id => !Number.isSafeInteger(id) || id < 0)
      if (wrong >= 0) throw new Error(`${ids[wrong]} is no id of a token`)
      if (typeof tokenizer.decode(ids) !== 'string') throw new Error('tokens are decoded to what is no text')
    }
  })
}
