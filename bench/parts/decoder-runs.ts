/** How often the decoder ran for a box, as the service itself counts (`cropvlm_decoder_runs`, the prefill included). */
import type { OurEngine } from '../engines/ours.js'
import { largestBucket, scrape, total } from '../prometheus.js'
import type { DecoderRuns } from '../results.js'
import { significant } from '../stats.js'

const NAME = 'cropvlm_decoder_runs'

/**
 * The runs for all boxes that these services have given so far.
 * @throws Error: a service does not count them
 */
export async function decoderRuns(engines: readonly OurEngine[]): Promise<DecoderRuns> {
  const counted = await Promise.all(engines.map(async ({ url }) => scrape(url)))
  const sum = (suffix: string) => counted.reduce((all, one) => all + (total(one, `${NAME}_${suffix}`) ?? Number.NaN), 0)
  const [boxes, runs] = [sum('count'), sum('sum')]
  const bounds = counted.map(one => largestBucket(one, NAME) ?? Number.NaN)
  if (!Number.isFinite(runs) || boxes === 0) throw new Error(`the service's /metrics has no ${NAME}`)
  return { boxes, mean: significant(runs / boxes - 1, 3), at_most: Math.max(...bounds) - 1 }
}
