import { FIRST_POINTS } from './points-1-to-7.js'
import { LAST_POINTS } from './points-8-to-14.js'

/**
 * The 14 points that the proxy keeps, as edits of the source that break them. `npm run mutations` makes each edit in a copy
 * and runs the tests beside it: every one of those files must fail. `what` is the promise that the edit breaks.
 */
export interface Mutation {
  point: number
  what: string
  /** Below `src/`. `search` stands once in it. */
  file: string
  search: string
  replace: string
  /** Below `test/`, without `.test.ts`. */
  tests: readonly string[]
}

export const MUTATIONS: readonly Mutation[] = Object.entries({ ...FIRST_POINTS, ...LAST_POINTS }).flatMap(
  ([point, rows]) =>
    rows.map(([what, file, search, replace, ...tests]) => ({
      point: Number(point),
      what,
      file,
      search,
      replace,
      tests,
    })),
)
