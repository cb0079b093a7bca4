/** The table at the head of a report: one row for each kind, and one for all. */
import { mean } from '../../evaluation/measures.js'
import type { Case } from './case.js'
import type { Group } from './groups.js'
import { type Html, html } from './html.js'

/** @param groups All cases, in their groups. */
export function summary(groups: readonly Group[]): Html {
  const all = groups.flatMap(({ cases }) => cases)
  const kinds = kindsOf(groups)
  const scored = all.some(({ withCrop, without }) => withCrop?.scores && without?.scores)
  const boxed = all.some(({ iou }) => iou !== null)
  const rows =
    kinds.length > 1 ? [...kinds.map(kind => [kind, kind] as const), ['all', null] as const] : [['all', null] as const]
  return html`<table>
<thead><tr><th scope="col">Pages</th><th scope="col">number</th>${scored && html`<th scope="col">right with crop</th><th scope="col">right without</th><th scope="col">gain</th>`}
${groups.map(({ name, title }) => html`<th scope="col"><a href="#${name}">${title.toLowerCase()}</a></th>`)}${boxed && html`<th scope="col">IoU</th>`}</tr></thead>
<tbody>${rows.map(([title, kind]) => {
    const isOf = (one: Case) => kind === null || one.kind === kind
    const cases = all.filter(isOf)
    const [withCrop, without] = (['withCrop', 'without'] as const).map(way =>
      mean(cases.map(one => one[way]?.scores?.exact ?? 0)),
    ) as [number, number]
    return html`
<tr><th scope="row">${title}</th><td>${cases.length}</td>${
      scored && html`<td>${percent(withCrop)}</td><td>${percent(without)}</td><td>${gain(withCrop - without)}</td>`
    }${groups.map(group => html`<td>${group.cases.filter(isOf).length}</td>`)}${boxed && html`<td>${iouOf(cases)}</td>`}</tr>`
  })}
</tbody></table>`
}

export function kindsOf(groups: readonly Group[]): string[] {
  return [...new Set(groups.flatMap(({ cases }) => cases.map(({ kind }) => kind)))].sort()
}

function iouOf(cases: readonly Case[]): string {
  const known = cases.map(({ iou }) => iou).filter(iou => iou !== null)
  return known.length > 0 ? percent(mean(known)) : '–'
}

function gain(share: number): string {
  return `${share < 0 ? '−' : '+'}${percent(Math.abs(share))}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`
}
