/** Regular expressions of boxes, in the plain syntax that the engines of structured outputs share: no look-around. */

export const PER_CENT = '(100|[1-9]?[0-9])'
export const THOUSANDTHS = '(1000|[1-9]?[0-9]{1,2})'
export const PIXELS = '(0|[1-9][0-9]{0,4})'
/** A part of 1 with three decimals. */
export const PARTS = '(0\\.[0-9]{3}|1\\.000)'

/** `[1, 2, 3, 4]`. */
export function listOf(number: string): string {
  return `\\[${[number, number, number, number].join(', ')}\\]`
}

/** A text as it is. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
