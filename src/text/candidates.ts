/** The lines that may hold the answer, each with what speaks for it. */
import type { Found, Kind, KindName } from './kinds.js'
import { below, inColumnOf, type Layout, type PlacedLine, rightOf } from './layout.js'
import type { Match, Matches } from './match.js'
import type { Question } from './question.js'
import { amountOf, sums } from './sums.js'

/** What speaks for a line, each 0..1 unless it says otherwise. */
export interface Features {
  /** How much the line looks like the kind of answer that is asked for. */
  shape: number
  /** How well the label that it belongs to matches the question's words; the line may be its own label. */
  link: number
  /** The same times the part of the label that the question names: "total" and not "total discount". */
  pureLink: number
  /** The part of the question's words that its labels have together: in the line, left of it and above it. */
  covered: number
  /** The same of the words that say what is asked for and not only what kind of answer; 1 where there are none. */
  named: number
  /** The part of the line that the question does not say itself: a label is no answer. */
  news: number
  /** How much taller than the middle line its type is: -0.5..2. */
  prominence: number
  /** Near the first line of the image: 1, falling with each line that is above. */
  first: number
  /** Near the middle of the image's width. */
  centred: number
  /** The part of the line that is the answer's own text. */
  alone: number
  /** How far down it stands among the lines; for sums only. */
  last: number
  /** Its value over the largest of those that match as well; for sums only. */
  largest: number
  /** Whether other lines have the same value: 0, 0.5 for one, 1 for more; for sums only. */
  repeated: number
  /** Whether other amounts add up to it: 0 or 1; for sums only. */
  addsUp: number
}

export interface Candidate {
  line: PlacedLine
  /** The line whose words match; it may be `line` itself. null where no line does. */
  label: PlacedLine | null
  /** What of the line looks like an answer. */
  answer: Found
  features: Features
}

/** Kinds of which most pages hold some that are about something else: without a label they are no answer. */
const EVERYWHERE: ReadonlySet<KindName> = new Set(['number', 'percent'])
/** How much a label counts by where it stands: in the line itself, left of it, right above it, further above. */
const [WITHIN, BESIDE, ABOVE, HEADING] = [0.95, 1, 0.7, 0.6]
/** Lines from the top within which `first` falls to a third. */
const FIRST_LINES = 3

/** Of all lines, those that look like the kind of answer; where the question asks for no kind, those near a match. */
export function candidates(layout: Layout, question: Question, matches: Matches): Candidate[] {
  const { kind, asksForSum, needsNoLabel } = question
  const isNaming = [...question.words.keys()].map(word => question.naming.has(word))
  const isEverywhere = kind === null || EVERYWHERE.has(kind.name)
  const found = layout.lines.flatMap((line, i): Candidate[] => {
    const answer = answerIn(line.text, kind)
    if (!answer) return []
    const { label, ...linked } = bestLabel(
      line,
      layout,
      matches,
      isNaming,
      kind?.name === 'name' ? WITHIN * answer.strength : WITHIN,
    )
    if (linked.link === 0 && isEverywhere && !needsNoLabel) return []
    const features = {
      shape: answer.strength,
      ...linked,
      news: 1 - (matches.lines[i]?.purity ?? 0),
      ...placeOf(line, i, layout),
      alone: Math.min(1, answer.text.length / Math.max(1, line.line.text.trim().length)),
      last: 0,
      largest: 0,
      repeated: 0,
      addsUp: 0,
    }
    return [{ line, label, answer, features }]
  })
  const isAnySum = asksForSum || found.every(({ features }) => features.link === 0)
  if (kind?.name === 'amount' && isAnySum) compareSums(found, layout)
  return found
}

function answerIn(text: string, kind: Kind | null): Found | null {
  return kind ? kind.find(text) : { text, strength: 1 }
}

interface Label extends Pick<Features, 'link' | 'pureLink' | 'covered' | 'named'> {
  label: PlacedLine | null
}

function bestLabel(
  line: PlacedLine,
  layout: Layout,
  { lines, shares }: Matches,
  isNaming: readonly boolean[],
  within: number,
): Label {
  let best = { label: null as PlacedLine | null, link: 0, pureLink: 0 }
  const covered = shares.map(() => 0)
  for (const [i, label] of layout.lines.entries()) {
    const { score, purity, parts } = lines[i] as Match
    if (score === 0) continue
    const near = label === line ? within : Math.max(BESIDE * rightOf(label, line, layout), ABOVE * below(label, line))
    const link = score * near
    if (link * (0.5 + purity) > best.link * 0.5 + best.pureLink) best = { label, link, pureLink: link * purity }
    const part = Math.max(near, inColumnOf(label, line) ? HEADING : 0)
    for (const [n, share] of parts.entries()) covered[n] = Math.max(covered[n] ?? 0, part * share)
  }
  const sum = (parts: readonly number[]) => parts.reduce((total, part) => total + part, 0)
  const naming = sum(shares.filter((_, n) => isNaming[n]))
  const named = naming === 0 ? 1 : sum(covered.filter((_, n) => isNaming[n])) / naming
  return { ...best, covered: sum(covered), named }
}

function placeOf(line: PlacedLine, rank: number, { medianHeight, size }: Layout) {
  const middle = (line.left + line.right) / 2 / size.width
  return {
    prominence: Math.max(-0.5, Math.min(2, line.height / medianHeight - 1)),
    first: Math.exp(-rank / FIRST_LINES),
    centred: 1 - 2 * Math.abs(middle - 0.5),
  }
}

/** Adds what amounts tell of one another. */
function compareSums(found: readonly Candidate[], { top, bottom }: Layout): void {
  const values = found.map(({ answer }) => (answer.strength > 0.5 ? amountOf(answer.text) : null))
  const strongest = Math.max(0, ...found.map(({ features }) => features.link))
  const linked = found.map(({ features }, i) => (features.link >= 0.6 * strongest ? (values[i] ?? 0) : 0))
  const largest = Math.max(...linked)
  const isSum = sums(values)
  for (const [i, { line, features }] of found.entries()) {
    const value = values[i]
    if (value === null || value === undefined || value === 0) continue
    const same = values.filter(other => other === value).length - 1
    features.last = (line.bottom - top) / Math.max(1, bottom - top)
    features.largest = largest === 0 ? 0 : Math.min(1, value / largest)
    features.repeated = Math.min(1, same / 2)
    features.addsUp = isSum[i] ? 1 : 0
  }
}
