/** The whole page, piece by piece, so that it is never in memory as a whole. */
import { createHash } from 'node:crypto'
import { VERSION } from '../../version.js'
import { card } from './card.js'
import type { Case, Source } from './case.js'
import { groupCases, shareOut } from './groups.js'
import { html, raw } from './html.js'
import type { Pictures } from './pictures.js'
import { SCRIPT, STYLE } from './style.js'
import { kindsOf, summary } from './summary.js'

/** Nothing is loaded, and no script runs but the page's own. */
const POLICY = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${createHash('sha256').update(SCRIPT).digest('base64')}'`

export interface PageOptions {
  /** The file that the report is made of. */
  name: string
  /** Most cases that are shown; the table counts all. */
  maxRows: number
  /** The pictures of a case, or why there are none. */
  picturesOf(one: Case): Promise<Pictures | string>
}

export async function* page({ cases, facts, notes }: Source, options: PageOptions): AsyncGenerator<string> {
  const groups = groupCases(cases)
  const shown = shareOut(
    groups.map(group => group.cases.length),
    options.maxRows,
  )
  const left = cases.length - shown.reduce((sum, number) => sum + number, 0)
  const all = [
    ...notes,
    ...(left > 0
      ? [`${left} of ${cases.length} pages are left out below; the table counts them. --max-rows shows more.`]
      : []),
  ]
  yield html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="generator" content="cropvlm ${VERSION}">
<title>${options.name}: with the crop and without it</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<h1>With the crop and without it</h1>
<p class="facts">${facts.filter(([, value]) => value !== '').map(([name, value]) => html`<span>${name}: ${value}</span>`)}</p>
<div class="scroll">${summary(groups)}</div>
<p class="soft">Right: equal to one of the right answers but for case, outer spaces and a final full stop. A failed request counts as wrong.</p>
${all.map(note => html`<p class="note">${note}</p>`)}
<form hidden>
<label>Kind <select name="kind"><option value="">all</option>${kindsOf(groups).map(kind => html`<option>${kind}</option>`)}</select></label>
<label>Section <select name="section"><option value="">all</option>${groups.map(({ name, title }) => html`<option value="${name}">${title}</option>`)}</select></label>
<label>Words <input type="search" name="words"></label>
<output name="count"></output>
<span class="legend"><i></i>found<i class="true"></i>the region with the answer</span>
</form>
<main>
`.text
  for (const [i, { name, title, meaning, cases: members }] of groups.entries()) {
    const count = shown[i] as number
    const of = count < members.length ? `${count} of ${members.length}` : members.length
    yield html`<section id="${name}"><h2>${title} <small>${of}</small></h2><p class="soft">${meaning}</p><div class="cards">
`.text
    for (const one of members.slice(0, count)) yield card(one, await options.picturesOf(one)).text
    yield '</div></section>\n'
  }
  yield html`</main>
<script>${raw(SCRIPT)}</script>
</body>
</html>
`.text
}
