/**
 * Makes the words of an endpoint fit to be passed on and logged. Endpoints repeat what they were sent: keys, pictures
 * and questions. Those are hidden; so is all that looks like them, because an endpoint may be sent others' as well.
 */

/** What a request held that its error must not repeat. */
export interface Secrets {
  apiKey: string | null
  question: string
}

/** Most letters of a reason. */
export const MAX_REASON = 200
/** Most letters of the endpoint's text that are looked at. */
const MAX_READ = 2000
const HIDDEN = '[...]'

/** Fewest letters and digits in a row that a reason may not share with a key, and with a question. */
const MIN_SHARED_KEY = 6
const MIN_SHARED_QUESTION = 10

/** Characters that do not print, or that change how others print. */
const CONTROLS = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]+/gu

/** What looks like a secret, or like the address of an endpoint, which callers are not told either. */
const SECRETS = [
  /\b[a-z][a-z+.-]{1,20}:\/\/[^\s"'<>]+/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g,
  /\bdata:[^\s"'<>]{0,100},[^\s"'<>]*/gi,
  /\b(?:bearer|basic)\s+[^\s"',;]+/gi,
  /\b(?:api[-_ ]?key|token|authorization|password|secret)["']?(?: provided)?\s*[:=]\s*["']?[^\s"',;]+/gi,
  // as they begin with OpenAI, Anthropic, OpenRouter, Hugging Face, Groq, xAI, GitHub, NVIDIA, Google; and a JWT
  /\b(?:(?:sk|pk|rk|hf|gsk|xai|ghp|gho|nvapi)[-_]|AIza|ya29\.|eyJ)[\w*.-]{4,}/g,
  // base64 and hexadecimal, in lines of a MIME part too
  /(?=[A-Za-z+/=]{0,39}[0-9])[A-Za-z0-9+/=]{24,}|[A-Za-z0-9+/=_-]{40,}/g,
]

/** The words of an endpoint in one line, without secrets, at most `MAX_REASON` letters; null if nothing is left of them. */
export function cleanReason(words: string | null, { apiKey, question }: Secrets): string | null {
  if (words === null) return null
  let text = unescaped(words.slice(0, MAX_READ)).replace(CONTROLS, ' ')
  if (apiKey !== null) text = hideShared(text, apiKey, MIN_SHARED_KEY)
  text = hideShared(text, question, MIN_SHARED_QUESTION)
  for (const pattern of SECRETS) text = text.replace(pattern, HIDDEN)
  text = text
    .replace(/\s+/g, ' ')
    .replace(/\[\.\.\.\](?:[^\p{L}\p{N}]*\[\.\.\.\])+/gu, HIDDEN)
    .trim()
  return /[\p{L}\p{N}]/u.test(text) ? cut(text) : null
}

/** As people read it: a server may have put what it was sent in JSON, in HTML or in a URL. */
function unescaped(text: string): string {
  return text
    .replace(/\\u([0-9a-f]{4})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\\+[nrtbf"'/]/g, ' ')
    .replace(/&(?:quot|apos|nbsp|amp|lt|gt|#\d{1,6}|#x[0-9a-f]{1,5});/gi, ' ')
    .replace(/(?:%[0-9a-f]{2})+/gi, bytes => Buffer.from(bytes.replaceAll('%', ''), 'hex').toString())
}

function cut(text: string): string {
  const letters = [...text]
  return letters.length <= MAX_REASON
    ? text
    : `${letters
        .slice(0, MAX_REASON - 3)
        .join('')
        .trimEnd()}...`
}

/**
 * Hides what a text shares with a secret: `least` letters and digits in a row or more, whatever case they have and
 * whatever stands between them; of a shorter secret the whole, where it stands as words of its own.
 */
function hideShared(text: string, secret: string, least: number): string {
  const wanted = lettersOf(secret).map(({ letter }) => letter)
  if (wanted.length === 0) return text
  const length = Math.min(least, wanted.length)
  const grams = new Set<string>()
  for (let i = 0; i + length <= wanted.length; i++) grams.add(wanted.slice(i, i + length).join(''))
  const found = lettersOf(text)
  const hidden: { from: number; to: number }[] = []
  for (let i = 0; i + length <= found.length; i++) {
    const some = found.slice(i, i + length)
    const [from, to] = [some[0]?.at ?? 0, some.at(-1)?.end ?? 0]
    if (!grams.has(some.map(({ letter }) => letter).join(''))) continue
    if (wanted.length < least && !isWordsOf(text, from, to)) continue
    const last = hidden.at(-1)
    if (last && from <= last.to) last.to = to
    else hidden.push({ from, to })
  }
  return hidden.reduceRight((rest, { from, to }) => rest.slice(0, from) + HIDDEN + rest.slice(to), text)
}

/** Whether no letter or digit stands right before or after a part of a text. */
function isWordsOf(text: string, from: number, to: number): boolean {
  return !/[\p{L}\p{N}]$/u.test(text.slice(0, from)) && !/^[\p{L}\p{N}]/u.test(text.slice(to))
}

/** The letters and digits of a text in lower case, each with its place. */
function lettersOf(text: string): { letter: string; at: number; end: number }[] {
  return [...text.matchAll(/[\p{L}\p{N}]/gu)].map(({ 0: letter, index }) => ({
    letter: letter.toLowerCase(),
    at: index,
    end: index + letter.length,
  }))
}
