/** Why there is no answer, in the service's own words. */
import { byId, make } from '../dom.js'

/**
 * Shows a problem with its code and the request's id, which the service's log has too.
 * @param {import('../request/api.js').Problem | null} problem null: there is none
 */
export function showProblem(problem) {
  const place = byId('problem', HTMLDivElement)
  place.hidden = problem === null
  if (!problem) return place.replaceChildren()
  const { message, code, requestId, retryAfter, crop } = problem
  const facts = [code, requestId && `request ${requestId}`, retryAfter && `try again in ${retryAfter} s`].filter(
    Boolean,
  )
  place.replaceChildren(
    make('p', {}, message),
    ...(crop ? [make('p', {}, 'The box was found all the same.')] : []),
    ...(facts.length > 0 ? [make('p', { class: 'hint' }, facts.join(' · '))] : []),
  )
}
