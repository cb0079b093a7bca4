/**
 * Finds four numbers that are a box in what a model wrote. By patterns rather than by a JSON parser, so that Markdown
 * fences, text around it, trailing commas, numbers in quotes and JSON that was cut short after the box do no harm. A
 * number that may itself have been cut short is never read: something has to close the list. Space is limited in every
 * pattern, so that none takes more than linear time.
 */

/** A box as it stands in a text. */
export interface BoxText {
  /** In the order of the text, or of their names. */
  numbers: readonly [number, number, number, number]
  /** Whether each number has its name, as in `{"x1": 3, ...}`; they are then x1, y1, x2, y2 whatever the dialect's order. */
  isNamed: boolean
  /** Start and end of each number in the text. */
  spans: readonly Span[]
}

export type Span = readonly [start: number, end: number]

const SPACE = '\\s{0,99}'
const NUMBER = '([-+]?(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:[eE][-+]?\\d{1,3})?)'
const ITEM = `["']?${NUMBER}["']?`
const COMMA = `${SPACE}[,;]${SPACE}`
/** Between the corners: a comma, or `), (` and the like. */
const MIDDLE = `(?:${COMMA}|${SPACE}[\\])]${SPACE},?${SPACE}[\\[(]${SPACE})`
const FOUR = `${ITEM}${COMMA}${ITEM}${MIDDLE}${ITEM}${COMMA}${ITEM}`
const TRAILING = `(?:${SPACE},)?${SPACE}`
const KEYS = 'bbox_?2d|box_?2d|bbox|box|bounding_?box|bbox_?pixels|coordinates|region'

/** `"bbox_2d": [1, 2, 3, 4]`, `bbox = (1, 2, 3, 4)`, `"bbox": "1, 2, 3, 4"`. */
const KEYED = new RegExp(
  `\\b(?:${KEYS})["']?\\s{0,9}[:=]\\s{0,9}(?:["'[(]\\s{0,30}){0,4}${FOUR}${TRAILING}[\\])"'}]`,
  'di',
)
/** `[1, 2, 3, 4]`, `[[1, 2, 3, 4]]`, `(1, 2), (3, 4)`. */
const LIST = new RegExp(`[\\[(]${SPACE}${FOUR}${TRAILING}[\\])]`, 'd')
/** `"x1": 1`. */
const CORNER = new RegExp(
  `["']?\\b(x_?1|y_?1|x_?2|y_?2|[xy]_?min|[xy]_?max|left|top|right|bottom)["']?\\s{0,9}[:=]\\s{0,9}${ITEM}(?=[\\s,;}\\])])`,
  'dgi',
)
const CORNERS: Readonly<Record<string, number>> = {
  x1: 0,
  xmin: 0,
  left: 0,
  y1: 1,
  ymin: 1,
  top: 1,
  x2: 2,
  xmax: 2,
  right: 2,
  y2: 3,
  ymax: 3,
  bottom: 3,
}

/** The first box of a text: one under a name before a bare list, which may stand in prose. */
export function findBox(text: string): BoxText | null {
  return listed(KEYED.exec(text)) ?? corners(text) ?? listed(LIST.exec(text))
}

function listed(match: RegExpExecArray | null): BoxText | null {
  if (!match?.indices) return null
  return boxText(match.slice(1, 5).map(Number), match.indices.slice(1, 5), false)
}

/** The first four named corners with no other box's corner between them. */
function corners(text: string): BoxText | null {
  const found = new Map<number, { value: number; span: Span }>()
  for (const match of text.matchAll(CORNER)) {
    const corner = CORNERS[(match[1] ?? '').toLowerCase().replace('_', '')] ?? 0
    if (found.has(corner)) found.clear()
    found.set(corner, { value: Number(match[2]), span: match.indices?.[2] ?? [0, 0] })
    if (found.size < 4) continue
    const inOrder = [...found].sort(([one], [other]) => one - other).map(([, number]) => number)
    return boxText(
      inOrder.map(({ value }) => value),
      inOrder.map(({ span }) => span),
      true,
    )
  }
  return null
}

function boxText(numbers: readonly number[], spans: readonly (Span | undefined)[], isNamed: boolean): BoxText | null {
  const [a, b, c, d] = numbers
  if (a === undefined || b === undefined || c === undefined || d === undefined) return null
  if (!numbers.every(Number.isFinite)) return null
  return { numbers: [a, b, c, d], isNamed, spans: spans.filter(span => span !== undefined) }
}
