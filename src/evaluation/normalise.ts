/**
 * The answer normalisation of the VQA benchmark's evaluation (visualqa.org/evaluation): lower case, number words as
 * digits, articles dropped, apostrophes of contractions restored, punctuation removed but for apostrophes, colons and
 * the points inside numbers. The trainer's metrics/vqa.py states the same; test/fixtures/golden/measures.json keeps the
 * two equal.
 */

// What Python counts as white space, since the benchmarks' own evaluations are in Python: JavaScript's \s is without
// U+001C to U+001F and U+0085, and has U+FEFF.
const WHITE = '[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+'
const SPACE = new RegExp(WHITE)
const OUTER_SPACE = new RegExp(`^${WHITE}|${WHITE}$`, 'g')

const NUMBERS = new Map([
  ['none', '0'],
  ...'zero one two three four five six seven eight nine ten'.split(' ').map(numbered),
])
const ARTICLES = new Set(['a', 'an', 'the'])
const PUNCTUATION = [...';/[]"{}()=+\\_-><@`,?!']

/** Endings with an apostrophe, and the words that take them. Missing are those that are words without it (`its`). */
const STEMS = {
  "n't": 'ai are ca could did does do had has have is might must need ought sha should was were wo would',
  "n't've": 'could had might should would',
  "'ve": 'could i might must not should there they we what where who would you',
  "'ll": "how it somebody someone something that there they what who why y'all you",
  "'s": 'he how somebody someone something that there what when where who why',
  "'d": 'he how it somebody someone something that there they what when where who why you',
  "'d've": "he i it she somebody someone something there they we who y'all you",
  "'re": 'there they what who why you',
  "'m": 'i',
}
const OTHERS = ["o'clock", "ma'am", "y'all", "'twas", "'ow's'at"]

/** Spellings that lack an apostrophe, to the right ones. */
const CONTRACTIONS = new Map(
  [
    ...Object.entries(STEMS).flatMap(([ending, stems]) => stems.split(' ').map(stem => stem + ending)),
    ...OTHERS,
  ].flatMap(word => misspellings(word).map(wrong => [wrong, word] as const)),
)

/** The official normalisation of one answer. */
export function normaliseOfficially(answer: string): string {
  const text = stripPunctuation(strip(answer.replace(/[\n\t]/g, ' '))).toLowerCase()
  const words = split(text)
    .map(word => NUMBERS.get(word) ?? word)
    .filter(word => !ARTICLES.has(word))
  return words.map(word => CONTRACTIONS.get(word) ?? word).join(' ')
}

/** What the CropVLM reference code does instead: lower case, and one trailing full stop removed. */
export function normaliseAsReference(answer: string): string {
  return answer.toLowerCase().replace(/\.$/, '')
}

/**
 * Lower case, one trailing full stop removed, one space between words: what exact match and ANLS compare. The
 * evaluations of VQA and DocVQA too put one space where there are several. The full stop is ours: the models of this
 * family are trained to end their answers with one.
 */
export function normaliseSpacing(answer: string): string {
  return split(strip(answer.toLowerCase()).replace(/\.$/, '')).join(' ')
}

/** Python's `str.strip`. */
function strip(text: string): string {
  return text.replace(OUTER_SPACE, '')
}

/** Python's `str.split`. */
function split(text: string): string[] {
  return text.split(SPACE).filter(word => word !== '')
}

/**
 * Marks inside a word become spaces. A mark that stands beside a space anywhere in the text is removed, and so are all
 * marks of a text with a number such as 1,000: that is what the published evaluation does.
 */
function stripPunctuation(text: string): string {
  const hasNumberWithComma = /\d,\d/.test(text)
  let stripped = text
  for (const mark of PUNCTUATION) {
    const vanishes = hasNumberWithComma || text.includes(`${mark} `) || text.includes(` ${mark}`)
    stripped = stripped.replaceAll(mark, vanishes ? '' : ' ')
  }
  return stripped.replace(/\.(?!\d)/g, '')
}

function numbered(word: string, index: number): [string, string] {
  return [word, String(index)]
}

/** Every way to write the word without one or more of its apostrophes. */
function misspellings(word: string): string[] {
  const [first = '', ...rest] = word.split("'")
  const spellings = rest.reduce((before, part) => before.flatMap(start => [start + part, `${start}'${part}`]), [first])
  return spellings.filter(spelling => spelling !== word)
}
