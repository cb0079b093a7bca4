/** Pieces of Markdown, and the marks between which generated ones stand in pages that people write. */

const BEGIN = '<!-- npm run docs writes from here -->'
const END = '<!-- to here -->'

/**
 * A page with new lines between its marks.
 * @throws Error where the page lacks the marks
 */
export function withGenerated(page: string, lines: readonly string[]): string {
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`the page must hold ${BEGIN} and after it ${END}`)
  return `${page.slice(0, begin)}${BEGIN}\n\n${lines.join('\n')}\n\n${page.slice(end)}`
}

/** A table of Markdown; its cells are Markdown of one line each. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [row(head), `|${head.map(() => '---|').join('')}`, ...rows.map(row)]
}

function row(cells: readonly string[]): string {
  // it would end a cell, in code as well
  return `| ${cells.map(cell => escaped(cell).replaceAll('|', '\\|')).join(' | ')} |`
}

/** Text with code between backticks: outside of that, Markdown would take `<` for HTML, and VitePress `{{` for its own. */
export function escaped(text: string): string {
  const parts = text.split('`')
  return parts.map((part, i) => (i % 2 === 0 ? part.replaceAll('<', '\\<').replaceAll('{{', '\\{\\{') : part)).join('`')
}

export function code(text: string): string {
  return `\`${text}\``
}
