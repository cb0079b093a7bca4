/**
 * The prompts of the CropVLM contract. Weights are trained with exactly these texts, so none of them may change: where
 * the paper prints a space, the reference code has a newline, and the code counts.
 */
import { oneLine } from './question.js'

/** What follows the image in the cropper's prompt. */
export function cropperPrompt(question: string): string {
  return `${capitalize(oneLine(question))}\nOutline the region in the image that would help answer this question.`
}

/** What follows the images, full then crop, in a target VLM's prompt. */
export function targetPrompt(question: string): string {
  return `${capitalize(oneLine(question))}\nGive a very brief answer.`
}

/**
 * Python's `str.capitalize`: the first character title-cased, every other one lower-cased. A final sigma is
 * lower-cased as Python and Unicode have it, so the rest is lower-cased in the context of the whole text.
 */
export function capitalize(text: string): string {
  const [first] = text
  if (first === undefined) return text
  return titleCase(first) + text.toLowerCase().slice(first.toLowerCase().length)
}

/** Letters that stand for two, such as \u01c4 for DZ with caron: upper, title and lower case of each. */
const DIGRAPHS = ['\u01c4\u01c5\u01c6', '\u01c7\u01c8\u01c9', '\u01ca\u01cb\u01cc', '\u01f1\u01f2\u01f3']

/** Unicode's title case of one character; JavaScript has only upper case, which differs for these few. */
function titleCase(character: string): string {
  const digraph = DIGRAPHS.find(group => group.includes(character))
  if (digraph) return digraph.charAt(1)
  // Georgian letters have capitals for headlines only: they title-case to themselves.
  if (/^[\u10d0-\u10ff]$/.test(character)) return character
  const upper = character.toUpperCase()
  if (character !== '\u0345' && character.normalize('NFD').includes('\u0345')) {
    // Greek with a subscript iota: upper case writes it out as a letter, title case keeps it below.
    const title = `${upper.slice(0, -1)}\u0345`
    return title.includes('\u0342') ? title : title.normalize('NFC')
  }
  // Ligatures and ß: only their first letter becomes a capital.
  const [head = '', ...tail] = upper
  return head === head.toLowerCase() ? upper : head + tail.join('').toLowerCase()
}
