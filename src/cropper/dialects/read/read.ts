import { type BoxText, findBox } from './box-text.js'
import { stretches, type Written } from './written.js'

/**
 * The reader of a dialect: the first box of the first tool call, of the given tags, or of the text, in this order.
 * @param tags Names of tags that the dialect puts around its box, as in `<tool_call>`.
 */
export function reader(...tags: string[]): (written: Written) => BoxText | null {
  return ({ text, toolCalls }) => {
    for (const call of toolCalls) {
      const box = findBox(call)
      // the text's positions mean nothing for it
      if (box) return { ...box, spans: [] }
    }
    for (const { text: part, at } of stretches(text, tags)) {
      const box = findBox(part)
      if (box) return { ...box, spans: box.spans.map(([start, end]) => [start + at, end + at] as const) }
    }
    return null
  }
}
