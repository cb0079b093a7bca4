/** What one row of the fault matrix is. */
import type { World } from './world/world.js'

export interface Row {
  /** Its number in the table, from 1. */
  readonly number: number
  /** What is sent, or what goes wrong. */
  readonly fault: string
  /** What the service does then, for the page of the documentation: Markdown. */
  readonly behaviour: string
  /** Whether it also runs, in a short form, within `npm test`. Of the others `covered.ts` names the tests. */
  readonly isShort?: true
  /** What the fault ends on purpose, so that it is not held against the service: an engine process, or all of it. */
  readonly ends?: 'engine' | 'service'
  /**
   * Brings the fault about.
   * @returns what was seen, for the printed table
   * @throws AssertionError where the service behaves otherwise; Skipped where this machine cannot show it
   */
  run(world: World): Promise<string>
}
