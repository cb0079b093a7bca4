import { isTooDeep, MAX_LEVELS } from '../../contract/nesting.js'
import { OddReply } from './bounded-text.js'

/** The value of a JSON text that can be walked through level by level. @throws SyntaxError, OddReply */
export function parseShallow(text: string): unknown {
  const value: unknown = JSON.parse(text)
  if (isTooDeep(value)) throw new OddReply(`its JSON nests over ${MAX_LEVELS} levels deep`)
  return value
}
