/** JSON texts made from a seed: deep and flat, with every kind of white space, escapes, long numbers and duplicate keys. */
import { seeded } from './scripted.js'

const SPACES = ['', '', '', ' ', '\n', '\t', '\r\n  ']
const STRINGS = [
  '""',
  '"a"',
  '"\\""',
  '"\\\\"',
  '"\\\\\\""',
  '"[{,:}]"',
  '"é☃"',
  '"\\u00e9\\/"',
  '"cropvlm"',
  '"\\\\\\\\"',
]
const SCALARS = ['0', '-1', '12345678901234567890', '1.50', '6.02E+23', 'true', 'false', 'null']

/** A text with the same value for the same seed. */
export function randomJson(seed: number): string {
  const random = seeded(seed)
  const pick = (list: readonly string[]) => list[Math.floor(random() * list.length)] ?? ''
  const space = () => pick(SPACES)
  const value = (depth: number): string => {
    const kind = random()
    if (depth === 0 || kind < 0.3) return pick(random() < 0.5 ? STRINGS : SCALARS)
    const entries = Array.from({ length: Math.floor(random() * 5) }, () =>
      kind < 0.65
        ? space() + value(depth - 1) + space()
        : `${space()}${pick(STRINGS)}${space()}:${space()}${value(depth - 1)}${space()}`,
    )
    const inside = entries.join(',') || space()
    return kind < 0.65 ? `[${inside}]` : `{${inside}}`
  }
  return space() + value(5) + space()
}
