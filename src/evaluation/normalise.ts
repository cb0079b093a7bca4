/**
 * The answer normalisation of the VQA benchmark's evaluation (visualqa.org/evaluation): lower case, number words as
 * digits, articles dropped, apostrophes of contractions restored, punctuation removed but for apostrophes, colons and
 * the points and commas inside numbers (whose commas go).
 */

const NUMBERS = new Map([
  ['none', '0'],
  ...'zero one two three four five six seven eight nine ten'.split(' ').map(numbered),
])
const ARTICLES = new Set(['a', 'an', 'the'])
const PUNCTUATION = [...';/[]"{}()=+\\_-><@`,?!']

/** Apostrophe-less spellings to the right ones; those that are words of their own (`its`, `well`, `were`) stay. */
const CONTRACTIONS = new Map([
  ...contractions(
    "n't",
    'ai are ca could did does do had has have is might must need ought sha should was were wo would',
  ),
  ...contractions("'ve", 'could might must should there they we what who would you'),
  ...contractions("'ll", 'it somebody someone something that there they what who you'),
  ...contractions("'s", 'he how somebody someone something that there what when where who why'),
  ...contractions("'d", 'he how it somebody someone something that there they what when where who why you'),
  ...contractions("'re", 'they what who why you'),
  ...contractions("'m", 'i'),
  ['oclock', "o'clock"],
  ['maam', "ma'am"],
  ['yall', "y'all"],
])

/** The official normalisation of one answer. */
export function normaliseOfficially(answer: string): string {
  const words = stripPunctuation(answer.replace(/[\n\t]/g, ' ').trim())
    .toLowerCase()
    .split(/\s+/)
    .map(word => NUMBERS.get(word) ?? word)
    .filter(word => word !== '' && !ARTICLES.has(word))
  return words.map(word => CONTRACTIONS.get(word) ?? word).join(' ')
}

/** What the CropVLM reference code does instead: lower case, and one trailing full stop removed. */
export function normaliseAsReference(answer: string): string {
  return answer.toLowerCase().replace(/\.$/, '')
}

/** Ours for exact match: as strict as can be while case, outer and repeated spaces and a final full stop do not count. */
export function normaliseStrictly(answer: string): string {
  return answer.toLowerCase().trim().replace(/\.$/, '').replace(/\s+/g, ' ').trim()
}

/** A mark beside a space vanishes, and so do all marks of a text with a number like 1,000; others part words. */
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

function contractions(ending: string, stems: string): [string, string][] {
  return stems.split(' ').map(stem => [`${stem}${ending.replace("'", '')}`, `${stem}${ending}`])
}
