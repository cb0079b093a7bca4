import type { Job } from '../protocol.js'
import type { Ticket } from './pending-job.js'

/**
 * Jobs that no process has been given yet, in the order in which they will be. An answer is the second half of a
 * request whose box has been found already: it goes before the boxes, so that no work is lost.
 */
export class JobQueue {
  #tickets: Ticket[] = []

  get size(): number {
    return this.#tickets.length
  }

  get first(): Ticket | undefined {
    return this.#tickets[0]
  }

  get tickets(): readonly Ticket[] {
    return this.#tickets
  }

  /** When the job came that has waited longest, on `performance.now()`'s clock. */
  get oldest(): number {
    return Math.min(...this.#tickets.map(({ queuedAt }) => queuedAt))
  }

  add(ticket: Ticket): void {
    this.#tickets.splice(this.#tickets.length - this.#behind(ticket.job), 0, ticket)
  }

  /** Does nothing where the ticket is not here. */
  remove(ticket: Ticket): void {
    this.#tickets = this.#tickets.filter(other => other !== ticket)
  }

  /** At most `count` jobs from the front. */
  take(count: number): Ticket[] {
    return this.#tickets.splice(0, count)
  }

  /** How many would wait behind a job that came now. */
  #behind({ kind }: Job): number {
    return kind === 'generate' ? this.#tickets.filter(({ job }) => job.kind === 'crop').length : 0
  }
}
