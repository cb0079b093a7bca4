/** Sends files as images, and judges the replies. */
import { AssertionError } from 'node:assert'
import type { ErrorCode } from '../../../src/errors.js'
import { REPLIES } from '../../../src/http/plugins/errors.js'
import type { Client, Reply } from '../world/client.js'
import { assertAnswered, assertRefused, type Refusal } from '../world/expect.js'
import type { CorpusFile } from './files.js'

/** Every refusal that a file may get: whatever is wrong is the file's fault. */
const REFUSALS = Object.entries(REPLIES).flatMap(([code, { status }]) =>
  status < 500 ? [`${status} ${code as ErrorCode}` satisfies Refusal] : [],
)

export interface Findings {
  files: number
  /** How often each status came, with the code of the error. */
  counts: Map<string, number>
  /** What is wrong, a line a file. */
  faults: string[]
  /** Of the slowest file. */
  slowest: { path: string; ms: number }
}

/**
 * Asks for a box of each file, so many at once.
 * @param limitMs What one request may take.
 */
export async function askAll(
  client: Pick<Client, 'crop'>,
  files: AsyncIterator<CorpusFile>,
  { atOnce, limitMs }: { atOnce: number; limitMs: number },
): Promise<Findings> {
  const found: Findings = { files: 0, counts: new Map(), faults: [], slowest: { path: '', ms: 0 } }
  const lane = async () => {
    for (let next = await files.next(); !next.done; next = await files.next()) {
      const { path, bytes } = next.value
      const reply = await client.crop(bytes)
      found.files += 1
      const what = reply.status === 200 ? '200' : `${reply.status} ${reply.body.error?.code ?? reply.text.slice(0, 40)}`
      found.counts.set(what, (found.counts.get(what) ?? 0) + 1)
      const fault = faultOf(reply, limitMs)
      if (fault !== null) found.faults.push(`${path}: ${fault}`)
      if (reply.ms > found.slowest.ms) found.slowest = { path, ms: reply.ms }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return found
}

function faultOf(reply: Reply, limitMs: number): string | null {
  try {
    if (reply.status === 200) assertAnswered(reply)
    else assertRefused(reply, REFUSALS)
  } catch (error) {
    if (error instanceof AssertionError) return error.message
    throw error
  }
  return reply.ms > limitMs ? `took ${Math.round(reply.ms)} ms, of at most ${limitMs}` : null
}
