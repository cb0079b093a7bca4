import type { Outcome } from './fuzz-target.js'

const HEAD = ['target', 'seconds', 'executions', 'executions/s', 'coverage', 'corpus', 'finds']

/** What the targets did, as a table of Markdown. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ target, seconds, executions, coverage, corpus, problem }) => [
    target,
    ...[
      seconds,
      executions,
      Math.round(executions / Math.max(1, seconds)),
      coverage,
      corpus,
      problem === null ? 0 : 1,
    ].map(String),
  ])
  const widths = HEAD.map((name, i) => Math.max(name.length, ...rows.map(row => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return `${[line(HEAD), rule, ...rows.map(line)].join('\n')}\n`
}
