/** Words of questions and of lines, and how alike two of them are. */

/** Words that say nothing about what is asked for: articles, pronouns, auxiliaries, prepositions, "tell me". */
const STOP = new Set(
  `a an the this that these those it its his her their your our my i you he she they we what which who whom whose when
  where how why is are was were be been being am do does did done has have had can could will would shall should may
  might must of in on at to for from by with about into over under and or not no as if than then there here all any
  each both some much many most please tell me us show find give get read see say says said write written printed
  shown seen listed called stated mentioned indicated displayed given according`.split(/\s+/),
)

/** The words of a text: lower case, without endings; numbers too. A Han character is a word. */
export interface Words {
  all: readonly string[]
  /** Those that say something. */
  telling: readonly string[]
}

/** @param text In the form NFKC. */
export function wordsOf(text: string): Words {
  const split = text.toLowerCase().match(/\p{Script=Han}|[\p{L}\p{M}]+|\p{N}+/gu) ?? []
  const all = split.map(stem)
  return { all, telling: all.filter((_, i) => !STOP.has(split[i] as string)) }
}

function stem(word: string): string {
  if (word.length > 5 && word.endsWith('ed')) return word.slice(0, -2)
  if (word.length > 6 && word.endsWith('ing')) return word.slice(0, -3)
  if (word.length > 5 && /(?:ses|xes|zes|ches|shes)$/.test(word)) return word.slice(0, -2)
  if (word.length > 3 && word.endsWith('s') && !word.endsWith('ss')) return word.slice(0, -1)
  return word
}

/** How well a word of a line stands for a word of the question, 0..1. */
export function likeness(asked: string, seen: string): number {
  if (asked === seen) return 1
  if (Math.min(asked.length, seen.length) < 4) return 0
  if (isOneSlipApart(asked, seen)) return 0.7
  // "issue" and "issued", "pay" and "payment"
  if (asked.length >= 5 && (seen.startsWith(asked) || asked.startsWith(seen))) return 0.7
  // a reader often misses the space between words
  return seen.includes(asked) ? 0.6 : 0
}

/** Whether one letter that is wrong, missing or too many makes one word of the other. */
function isOneSlipApart(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false
  const [shorter, longer] = [Math.min(a.length, b.length), Math.max(a.length, b.length)]
  let same = 0
  while (same < shorter && a[same] === b[same]) same++
  let end = 0
  while (end < shorter - same && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  return longer - same - end <= 1
}
