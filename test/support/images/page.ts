import type { Page } from '../../../src/ocr/page.js'

/** A row of a page by hand: pieces of text, each with the per cent of the width where it begins. */
export type Row = readonly (readonly [x: number, text: string])[]

/** A page of 800 x 1000 pixels whose lines are all of one height. A letter is one per cent wide. */
export function page(...rows: readonly Row[]): Page {
  const lines = rows.flatMap((row, i) =>
    row.map(([x, text]) => {
      const top = 4 + 4 * i
      return { box: [x, top, Math.min(100, x + text.length), top + 2] as const, text, score: 0.98 }
    }),
  )
  return { lines, size: { width: 800, height: 1000 } }
}
