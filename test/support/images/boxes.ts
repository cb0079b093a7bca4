type Rect = readonly [number, number, number, number]

/** Whether a box holds all of another, `[x1, y1, x2, y2]` both. */
export function holds([x1, y1, x2, y2]: Rect, [left, top, right, bottom]: Rect): boolean {
  return x1 <= left && y1 <= top && x2 >= right && y2 >= bottom
}
