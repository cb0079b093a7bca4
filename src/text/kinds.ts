/** Kinds of answers: by which words a question asks for one, and what a line that holds one looks like. */

export type KindName = 'email' | 'link' | 'phone' | 'percent' | 'number' | 'amount' | 'date' | 'time' | 'name'

export interface Kind {
  name: KindName
  /** What asks for it, in a question in lower case. */
  cue: RegExp
  /** What of a text (in the form NFKC) is one, and how surely; null where nothing is. */
  find(text: string): Found | null
}

export interface Found {
  /** As it stands there. */
  text: string
  /** How much it looks like one, 0..1. */
  strength: number
}

const MONTH = '(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*'
// a reader often misses the space between a date and a time: "25/12/20188:13", "01-03-185:23PM"
const YEAR = '(?:(?:19|20)\\d\\d|\\d\\d(?!\\d)|\\d\\d(?=\\d{1,2}[:.]\\d\\d|\\d{4,6}\\s?[ap]m))'
const NUMERIC_DATE = new RegExp(`(?<!\\d)(?:\\d{1,2}|(?:19|20)\\d\\d)\\s?[/.-]\\s?\\d{1,2}\\s?[/.-]\\s?${YEAR}`, 'gi')
const YEAR_FIRST_DATE = /(?<!\d)(?:19|20)\d\d\s?[/.-]\s?\d{1,2}\s?[/.-]\s?\d{1,2}/g
const NAMED_DATES = [
  new RegExp(`(?<!\\d)\\d{1,2}(?:st|nd|rd|th)?[\\s./,-]*${MONTH}[\\s./,'-]*${YEAR}`, 'i'),
  new RegExp(`\\b${MONTH}[\\s.-]*\\d{1,2}(?:st|nd|rd|th)?[\\s.,-]+(?:19|20)\\d\\d`, 'i'),
]
const COMPACT_DATE = /(?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)/
const VAGUE_DATES = [
  /(?<![\d.:,/-])(?:(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])|(?:0?[1-9]|1[0-2])[-/](?:19|20)\d\d)(?![\d.:,/-])/,
  new RegExp(`\\b(?:\\d{1,2}(?:st|nd|rd|th)? )?${MONTH}\\.? ?(?:\\d{1,4}(?:st|nd|rd|th)?)?\\b`, 'i'),
  /\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/i,
  /(?<![\d./-])(?:19|20)\d\d(?![\d./-])/,
]
const SIGN = '[$\\u00a3\\u20ac\\u00a5\\u20b9\\u20a9]'
const CENTS = '\\d{1,3}(?:[,. ]\\d{3})*[.,]\\s?\\d{2}|\\d+[.,]\\s?\\d{2}'
const BEFORE = '(?<![\\d.,/-])(?<!\\d:)'
const MONEY = new RegExp(`(?:${SIGN}|\\b[A-Z]{2,3}(?=\\s?\\d))\\s?-?(?:${CENTS})(?![\\d%])`)
const SUM = new RegExp(`${BEFORE}-?(?:${CENTS})(?!\\s?%)(?![\\d/:-])(?![.,]\\d)`)
const WHOLE_SUM = new RegExp(`${SIGN}\\s?\\d[\\d,]*(?![\\d.,]*\\d)|${BEFORE}\\d{1,3}(?:,\\d{3})+(?!\\d)`)

/** In the order in which they are tried: the first whose cue is in the question is taken. */
export const KINDS: readonly Kind[] = [
  kind('email', /\be-?mail/, [/[\w.+-]+\s?@\s?[\w-]+(?:\.\w+)+/i, 1]),
  kind(
    'link',
    /\b(?:url|web ?site|web ?page|web address|link|domain)\b/,
    [/(?:https?:\/\/|www\.)\S+/i, 1],
    [/\b[\w-]+\.(?:com|org|net|edu|gov|io|dev|co|info|[a-z]{2})\b(?:\/\S*)?/i, 0.8],
  ),
  kind(
    'phone',
    /\b(?:tele)?phone|\btel\b|\bfax\b|\bmobile\b|\bcall\b/,
    [/(?:\+\d|\(\d{2,4}\)|(?<![\d-])0\d)[\d\s()/-]{5,}\d/, 1],
    [/(?<![\d.])\d{2,4}[ -]\d{3,4}[ -]?\d{3,4}(?![\d.])/, 0.8],
    [/(?<![\d.])\d{7,12}(?![\d.])/, 0.4],
  ),
  kind('percent', /\bper ?cent|\bpercentage\b|%|\brate\b/, [/\d+(?:[.,]\d+)?\s?%/, 1]),
  kind(
    'number',
    /\bhow many\b|\bnumber\b|\bno\b\.?|\bid\b|\bcode\b|\bcount\b|\bquantity\b|\bserial\b|\bage\b/,
    [/\b(?=\w*\d[\w/.-]*\d)[\w/.-]{2,}\b|(?<![\w.])\d(?![\w.])/, 1],
    [/\d/, 0.4],
  ),
  kind(
    'amount',
    /\bhow much\b|\bamounts?\b|\bprices?\b|\bcosts?\b|\btotals?\b|\bsub-?totals?\b|\bsum\b|\bpaid\b|\bpay\b|\bpayments?\b|\bfees?\b|\bbalance\b|\bvalue\b|\bcharged?\b|\bcharges\b|\btax(?:es)?\b|\bbudget\b|\bsalary\b|\bincome\b|\brevenue\b|\bexpenses?\b|\bspent\b|\bowed?\b|\bdiscount\b|\bchange\b|\bprofit\b|\brent\b|\bwage\b/,
    [MONEY, 1],
    [SUM, 0.9],
    [WHOLE_SUM, 0.8],
    [/(?<![\w.,:/-])\d+(?![\w.,:/-]|\s?%)/, 0.2],
  ),
  {
    name: 'date',
    cue: /\bdate[ds]?\b|\bwhen\b|\bday\b|\bmonth\b|\byear\b|\bdeadline\b|\bexpir|\bbirthday\b/,
    find: findDate,
  },
  kind(
    'time',
    /\btime\b|\bhours?\b|\bo.?clock\b|\bopen(?:s|ing)?\b|\bclos(?:es|ing)\b|\bdepart|\barriv/,
    [/(?<![\d:])\d{1,2}:\d{2}(?::\d{2})?(?!\d)\s?(?:[ap]\.?m\b)?/i, 1],
    [/\b\d{1,2}(?:\.\d{2})?\s?[ap]\.?m\b/i, 1],
    [/(?<![\d.])\d{1,2}[.h]\d{2}(?![\d.])/i, 0.3],
  ),
  {
    name: 'name',
    cue: /\bwho\b|\bwhom\b|\bwhose\b|\bnames?\b|\bnamed\b|\bcalled\b|\btitles?\b|\bheading\b|\bheadline\b|\bbrand\b|\bcompany\b|\bauthors?\b|\borgani[sz]ation\b/,
    find: findName,
  },
]

/** The kind of answer that a question asks for; null where it does not tell. */
export function kindOf(question: string): Kind | null {
  const text = question.toLowerCase()
  return KINDS.find(({ cue }) => cue.test(text)) ?? null
}

/** A question in lower case without the words that ask for a kind of answer. */
export function withoutCues(question: string): string {
  return KINDS.reduce((text, { cue }) => text.replace(new RegExp(cue, 'g'), ' '), question)
}

function kind(name: KindName, cue: RegExp, ...shapes: readonly (readonly [RegExp, number])[]): Kind {
  return {
    name,
    cue,
    find(text) {
      for (const [shape, strength] of shapes) {
        const match = shape.exec(text)
        if (match) return { text: match[0], strength }
      }
      return null
    },
  }
}

function findDate(text: string): Found | null {
  for (const shape of [YEAR_FIRST_DATE, NUMERIC_DATE])
    for (const [match] of text.matchAll(shape)) {
      const [first = '', second = '', third = ''] = match.match(/\d+/g) ?? []
      if (isDate(first, second, third)) return { text: match, strength: 1 }
    }
  const named = NAMED_DATES.map(shape => shape.exec(text)).find(match => match !== null)
  if (named) return { text: named[0], strength: 1 }
  const compact = COMPACT_DATE.exec(text)
  if (compact) return { text: compact[0], strength: 0.6 }
  const vague = VAGUE_DATES.map(shape => shape.exec(text)).find(match => match !== null)
  return vague ? { text: vague[0], strength: 0.25 } : null
}

/** Whether three numbers can be a day, a month and a year, or a year, a month and a day. */
function isDate(a: string, b: string, c: string): boolean {
  const [first, second, third] = [Number(a), Number(b), Number(c)]
  if (a.length === 4) return first >= 1900 && first < 2100 && second >= 1 && second <= 12 && third >= 1 && third <= 31
  if (a.length > 2 || c.length === 3) return false
  const isYear = c.length === 2 || (third >= 1900 && third < 2100)
  return isYear && Math.min(first, second) >= 1 && Math.min(first, second) <= 12 && Math.max(first, second) <= 31
}

/** Verbs and the like that make a sentence of a line: "goods sold are not returnable" names nobody. */
const SENTENCE =
  /\b(?:is|are|was|were|be|been|has|have|had|do|does|did|will|would|shall|should|can|could|may|must|not|cannot|please)\b/i

/** Mostly letters, none of the other kinds and no sentence. */
function findName(line: string): Found | null {
  const text = line.trim()
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  if (letters < 2 || /@|www\.|https?:/i.test(text)) return null
  const share = letters / text.replace(/\s/g, '').length
  if (share < 0.5) return null
  const strength =
    Math.min(1, letters / 4) * (share >= 0.75 ? 1 : 0.6) * (/\d/.test(text) ? 0.8 : 1) * (SENTENCE.test(text) ? 0.3 : 1)
  return { text, strength }
}
