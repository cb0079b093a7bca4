/** Where the time of a request went, as a chart of bars. */
import { make } from '../dom.js'
import { STAGES } from './words.js'

/**
 * The stages that took time, in their order, and what `total` has beyond them.
 * @param {Record<string, number>} timings `timings_ms` of a reply
 * @returns {[stage: string, ms: number][]}
 */
export function stagesOf({ total = 0, ...timings }) {
  const known = Object.keys(STAGES)
  const stages = Object.entries(timings).sort(([a], [b]) => known.indexOf(a) - known.indexOf(b))
  const other = total - stages.reduce((sum, [, ms]) => sum + ms, 0)
  /** @type {[string, number][]} */
  const all = [...stages, ['other', Math.round(10 * other) / 10]]
  return all.filter(([, ms]) => ms > 0)
}

/**
 * A table whose bars are only seen; its numbers are also read out.
 * @param {Record<string, number>} timings
 */
export function timingsTable(timings) {
  const stages = stagesOf(timings)
  const longest = Math.max(...stages.map(([, ms]) => ms))
  const rows = stages.map(([stage, ms]) => {
    const bar = make('div', { class: 'amount' })
    bar.style.width = `${(100 * ms) / longest}%`
    const label = make('th', { scope: 'row' }, STAGES[stage] ?? stage)
    return make(
      'tr',
      {},
      label,
      make('td', { class: 'track', 'aria-hidden': 'true' }, bar),
      make('td', {}, milliseconds(ms)),
    )
  })
  const total = make('td', {}, milliseconds(timings.total ?? 0))
  const sum = make(
    'tr',
    { class: 'sum' },
    make('th', { scope: 'row' }, 'Total'),
    make('td', { 'aria-hidden': 'true' }),
    total,
  )
  return make('table', { class: 'timings' }, make('tbody', {}, ...rows, sum))
}

/** @param {number} ms */
function milliseconds(ms) {
  return ms < 1000 ? `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`
}
