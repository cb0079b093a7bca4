import type { TextLine } from './page.js'

/** Lines whose middles are at most this part of the smaller height apart stand in one row. */
const SAME_ROW = 0.5

/** Lines in reading order: row by row from the top, those of a row from the left. */
export function inReadingOrder(lines: readonly TextLine[]): TextLine[] {
  const middle = ({ box: [, y1, , y2] }: TextLine) => (y1 + y2) / 2
  const height = ({ box: [, y1, , y2] }: TextLine) => y2 - y1
  const rows: TextLine[][] = []
  for (const line of [...lines].sort((a, b) => middle(a) - middle(b))) {
    const row = rows.at(-1)
    const first = row?.[0]
    if (row && first && middle(line) - middle(first) <= SAME_ROW * Math.min(height(line), height(first))) row.push(line)
    else rows.push([line])
  }
  return rows.flatMap(row => row.sort((a, b) => a.box[0] - b.box[0]))
}
