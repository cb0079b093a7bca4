/** What a model wrote in its answer. */
export interface Written {
  /** May be empty. */
  text: string
  /** Arguments of the tool calls that the server has parsed out of the text, each as JSON text. */
  toolCalls: readonly string[]
}

/** Longest text that is looked through, in characters: several times what any dialect lets a model write. */
const MAX_LENGTH = 100_000

/** A stretch of an answer's text, and where in the text it starts. */
interface Stretch {
  text: string
  at: number
}

/**
 * The stretches of an answer in which a box is looked for, the likeliest first: what stands in the given tags, then all
 * that follows the reasoning. Reasoning is no answer: the boxes that a model weighs there are not looked at.
 */
export function stretches(text: string, tags: readonly string[]): Stretch[] {
  const answer = afterReasoning(text.slice(0, MAX_LENGTH))
  return [...tags.flatMap(tag => tagged(answer, tag)), answer]
}

function afterReasoning(text: string): Stretch {
  const end = '</think>'
  const at = text.lastIndexOf(end)
  if (at >= 0) return { text: text.slice(at + end.length), at: at + end.length }
  const start = text.indexOf('<think>')
  return { text: start >= 0 ? text.slice(0, start) : text, at: 0 }
}

/** What the first such tag holds; up to the end where it is not closed. */
function tagged({ text, at }: Stretch, tag: string): Stretch[] {
  const open = `<${tag}>`
  const start = text.indexOf(open)
  if (start < 0) return []
  const from = start + open.length
  const end = text.indexOf(`</${tag}>`, from)
  return [{ text: text.slice(from, end < 0 ? undefined : end), at: at + from }]
}
