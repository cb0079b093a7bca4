/** Least width of a run's input, in pixels. */
const MIN_WIDTH = 64
/** Widths are rounded up to multiples of this: the graph has a step every eight pixels. */
const STEP = 8
/** A batch holds lines as long as they are at least this part of its longest one. */
const FILLED = 0.85
/** Most pixels of width that one run takes, over all its lines: a run cannot be cancelled. */
const MAX_RUN_WIDTH = 4800

export interface Batch {
  /** Positions of the lines in the list that was given. */
  lines: number[]
  /** Of the run's input, in pixels. */
  width: number
}

/** Puts lines of similar width together, so that little is padded. @param widths In pixels. */
export function batches(widths: readonly number[]): Batch[] {
  const order = widths.map((_, i) => i).sort((a, b) => (widths[b] as number) - (widths[a] as number))
  const found: Batch[] = []
  for (const line of order) {
    const width = Math.max(MIN_WIDTH, Math.ceil((widths[line] as number) / STEP) * STEP)
    const last = found.at(-1)
    if (last && width >= FILLED * last.width && (last.lines.length + 1) * last.width <= MAX_RUN_WIDTH)
      last.lines.push(line)
    else found.push({ lines: [line], width })
  }
  return found
}
