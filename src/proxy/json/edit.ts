/** Changes of a JSON text by position: every byte that no edit names stays as it is. */
import { type Member, membersOf, type Span } from './scan.js'

/** Put `text` in the place of a span; an empty span inserts, an empty text cuts. */
export interface Edit extends Span {
  readonly text: string
}

export function insert(at: number, text: string): Edit {
  return { start: at, end: at, text }
}

/**
 * The text with all edits made. Edits may come in any order and must not overlap; those at one place are made in the
 * order that they have here. Without edits it is the same Buffer.
 */
export function applyEdits(json: Buffer, edits: readonly Edit[]): Buffer {
  if (edits.length === 0) return json
  const pieces: Buffer[] = []
  let done = 0
  for (const { start, end, text } of edits.toSorted((one, other) => one.start - other.start)) {
    if (start < done) throw new Error('edits of one text overlap')
    pieces.push(json.subarray(done, start), Buffer.from(text))
    done = end
  }
  pieces.push(json.subarray(done))
  return Buffer.concat(pieces)
}

/** The edits that take every member named `key` out of an object, each with the one comma that goes with it. */
export function cutMembers(json: Buffer, object: Span, key: string): Edit[] {
  const members = membersOf(json, object)
  const edits: Edit[] = []
  for (let first = 0; first < members.length; first++) {
    if (members[first]?.key !== key) continue
    let last = first
    while (members[last + 1]?.key === key) last++
    edits.push({ ...runSpan(members, first, last), text: '' })
    first = last
  }
  return edits
}

/** Of the members from `first` to `last`: with the comma behind them, or before them where nothing follows. */
function runSpan(members: readonly Member[], first: number, last: number): Span {
  const [before, from, to, behind] = [members[first - 1], members[first], members[last], members[last + 1]]
  if (!from || !to) throw new Error('no such members')
  if (behind) return { start: from.start, end: behind.start }
  return { start: before ? before.end : from.start, end: to.end }
}
