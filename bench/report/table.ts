/** A Markdown table, the first column to the left and the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

/** Milliseconds with as many digits as they are worth. */
export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

export function whole(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(0)
}

export function times(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : `${value.toFixed(value >= 10 ? 0 : 1)}x`
}
