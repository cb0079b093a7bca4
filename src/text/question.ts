import { oneLine } from '../contract/question.js'
import { type Kind, kindOf, withoutCues } from './kinds.js'
import { wordsOf } from './words.js'

export interface Question {
  /** The words to look for, each with how much it counts, 0..1. */
  words: ReadonlyMap<string, number>
  /** Those of them that say what is asked for: neither where it is nor what kind of answer it is. */
  naming: ReadonlySet<string>
  /** The kind of answer; null where the question does not tell. */
  kind: Kind | null
  /** Whether it asks for what others add up to, so that of several the larger and the later is meant. */
  asksForSum: boolean
  /**
   * Whether the answer needs no label: a name that may stand as a heading (and not who did something), or whatever else is
   * of the kind, where the question says nothing besides.
   */
  needsNoLabel: boolean
}

/** "... on this page?", "... in the picture?": where to look and not what for. */
const PLACE = /\b(?:(?:on|in|at|from) (?:this|that|the|these)|of (?:this|that))(?: \p{L}+){1,2}\s*[?.!]*\s*$/u
/** How much a word counts that says where. */
const PLACE_WEIGHT = 0.15

const SUM = /\btotals?\b|\bsum\b|\bpaid\b|\bpay\b|\bdue\b|\bowed?\b|\bin all\b|\baltogether\b|\boverall\b/

export function readQuestion(text: string): Question {
  const lower = oneLine(text.normalize('NFKC')).toLowerCase()
  const place = PLACE.exec(lower)
  const words = new Map<string, number>()
  if (place) for (const word of wordsOf(place[0]).telling) words.set(word, PLACE_WEIGHT)
  const rest = place ? lower.slice(0, place.index) : lower
  for (const word of wordsOf(rest).telling) words.set(word, 1)
  const kind = kindOf(rest) ?? kindOf(lower)
  const naming = new Set(wordsOf(withoutCues(rest)).telling)
  return {
    words,
    naming,
    kind,
    asksForSum: SUM.test(lower) && !/\bsub-?total/.test(lower),
    needsNoLabel: kind !== null && (kind.name === 'name' ? !asksWho(lower) : naming.size === 0),
  }
}

function asksWho(text: string): boolean {
  return /\bwho(?:m|se)?\b/.test(text)
}
