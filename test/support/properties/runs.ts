/** Properties as tests: each is tried on cases that fast-check makes up, and a case that fails is made as small as it can. */
import fc from 'fast-check'
import t from 'tap'

/** `npm run properties -- --runs N --seed S` sets them. */
const { PROPERTY_RUNS, PROPERTY_SEED } = process.env

/** `npm test` tries the same cases each time, so that it tells whether a change broke something; `npm run properties` makes up new ones. */
const USUAL_SEED = 1

/**
 * A test that a property holds. Where it does not, the failure tells the seed, the smallest case found and what went wrong.
 * @param usual How many cases `npm test` tries.
 */
export function holds<T>(name: string, property: fc.IRawProperty<T>, usual: number): void {
  t.test(name, async t => {
    const seed = PROPERTY_SEED === undefined ? {} : { seed: Number(PROPERTY_SEED) }
    await fc.assert(
      property,
      PROPERTY_RUNS === undefined
        ? { numRuns: usual, seed: USUAL_SEED, ...seed }
        : { numRuns: Number(PROPERTY_RUNS), ...seed },
    )
    t.pass(name)
  })
}

/** Fails a case. */
export function expect(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new Error(typeof message === 'string' ? message : message())
}
