import t from 'tap'
import type { Ticket } from '../../../src/engine/parent/pending-job.js'
import { JobQueue } from '../../../src/engine/parent/queue.js'

/** As far as the queue looks at it. */
const ticket = (kind: 'crop' | 'generate', id: number, queuedAt = id) => ({ id, queuedAt, job: { kind } }) as Ticket
const ids = (tickets: readonly Ticket[]) => tickets.map(({ id }) => id)

t.test('answers before boxes, else in the order in which they came', async t => {
  const queue = new JobQueue()
  const kinds = ['crop', 'generate', 'crop', 'generate', 'crop'] as const
  const tickets = kinds.map((kind, i) => ticket(kind, i))
  for (const one of tickets) queue.add(one)
  t.same(ids(queue.tickets), [1, 3, 0, 2, 4])
  t.equal(queue.first, tickets[1])
  t.equal(queue.oldest, 0)
  queue.remove(tickets[0] as Ticket)
  queue.remove(ticket('crop', 99))
  t.equal(queue.oldest, 1)
  t.same(ids(queue.take(3)), [1, 3, 2])
  t.equal(queue.size, 1)
  t.same(ids(queue.take(3)), [4])
  t.equal(queue.first, undefined)
})
