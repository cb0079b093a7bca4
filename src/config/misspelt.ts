/** Variables whose names look like misspelt ones of this service: they would be ignored without a word. */
import { distance } from 'fastest-levenshtein'
import type { Env } from './variables.js'

/** First words of names that hardly anybody else gives to a variable together with another word of ours. */
const OWN_WORDS = ['CROPPER', 'TARGET', 'ZOOM', 'LOCAL']

/**
 * A sentence for each variable that is set, is not known, and is near to one that is.
 * @param known Every name that is read.
 */
export function misspeltVariables(env: Env, known: ReadonlySet<string>): string[] {
  const unknown = Object.keys(env).filter(name => env[name]?.trim() && !known.has(name))
  return unknown.flatMap(name => {
    const meant = nearest(name, known)
    return meant === null ? [] : [`${name} is set, but nothing reads it; did you mean ${meant}?`]
  })
}

function nearest(name: string, known: ReadonlySet<string>): string | null {
  if (!/^[A-Z][A-Z0-9_]*$/.test(name)) return null
  const near = [...known].filter(other => isTypingError(name, other) || leavesOutWords(name, other))
  near.sort((a, b) => distance(name, a) - distance(name, b))
  return near[0] ?? null
}

/** One or two wrong letters, the first one apart: short names are near to those of other programs. */
function isTypingError(name: string, other: string): boolean {
  const shorter = Math.min(name.length, other.length)
  if (name[0] !== other[0] || shorter < 7) return false
  return distance(name, other) <= (shorter < 9 ? 1 : 2)
}

/** As TARGET_URL for TARGET_BASE_URL: the first word is ours, and so is each of the others, but for a wrong letter. */
function leavesOutWords(name: string, other: string): boolean {
  const [first = '', ...words] = name.split('_')
  const [otherFirst, ...otherWords] = other.split('_')
  if (first !== otherFirst || !OWN_WORDS.includes(first) || words.length === 0) return false
  return words.every(word => otherWords.some(theirs => distance(word, theirs) <= (word.length < 5 ? 0 : 1)))
}

/** The same variables, with the name of each that is read noted in `names`. */
export function noting(env: Env, names: Set<string>): Env {
  return new Proxy(env, {
    get(target, name) {
      if (typeof name === 'string') names.add(name)
      return Reflect.get(target, name)
    },
  })
}
