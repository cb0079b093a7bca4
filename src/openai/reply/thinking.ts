/** Takes the thinking out of a model's text, where its server has not done so. */

/** The tags between which models think: most, Gemini's and Claude's imitations; Magistral; Kimi-VL. */
const TAG = /<(\/?)think(?:ing)?>|<(\/?)thought>|\[(\/?)THINK\]|◁(\/?)think▷/i

export interface Thought {
  /** What is left of the text, stripped. */
  answer: string
  /** The thinking, stripped; null where there is none. */
  reasoning: string | null
}

/**
 * What stands between an opening and a closing tag is thinking. So is what precedes a closing tag without an opening one,
 * which the prompt's template may have held, and what follows an opening tag that was never closed.
 */
export function takeApart(text: string): Thought {
  const thoughts: string[] = []
  let [answer, rest, isThinking] = ['', text, false]
  for (let tag = TAG.exec(rest); tag; tag = TAG.exec(rest)) {
    const before = rest.slice(0, tag.index)
    rest = rest.slice(tag.index + tag[0].length)
    const isClosing = tag.slice(1).some(slash => slash === '/')
    if (isClosing && !isThinking) {
      thoughts.push(answer + before)
      answer = ''
    } else if (isThinking) thoughts.push(before)
    else answer += before
    isThinking = !isClosing
  }
  if (isThinking) thoughts.push(rest)
  else answer += rest
  return { answer: answer.trim(), reasoning: joined(thoughts) }
}

/** Thoughts as one text, each on lines of its own; null where there is none. */
export function joined(thoughts: readonly (string | null)[]): string | null {
  return (
    thoughts
      .map(thought => thought?.trim())
      .filter(Boolean)
      .join('\n') || null
  )
}
