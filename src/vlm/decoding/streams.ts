import type { Graphs } from '../graphs.js'
import { BatchedDecoder } from './batched-decoder.js'
import type { DecodeOptions } from './decode.js'
import type { SequenceDecoder } from './decoder.js'
import { FusedDecoder, isFused } from './fused-decoder.js'
import { HubDecoder } from './hub-decoder.js'
import { type PrefillContext, type Prompt, prefillRows, prefillSequence, prefillsPrefix } from './prefill.js'

/** The decoder as one decode loop sees it: a sequence that begins with the loop's own prompt, already prefilled. */
export interface DecodeStream extends Pick<DecodeOptions, 'feed' | 'canRewind'> {
  /** Tells that the loop has ended, so that loops which share its runs do not wait for it. */
  leave(): void
}

type Context = PrefillContext & Graphs

/** Token id that is fed to a row which has none of its own in a run. Any id would do: its results are not used. */
const FILLER = 0

/**
 * Prefills prompts and returns a stream for each, in their order.
 *
 * A prompt that is alone gets a stream that can rewind, so that its decode loop may use draft tokens. In a batch each
 * run feeds exactly one token of each row: there a draft token would take a run of its own, and save none.
 * @param prompts At least one; exactly one if the decoder is not a fused one (`isFused`).
 */
export async function openStreams(prompts: readonly Prompt[], context: Context): Promise<DecodeStream[]> {
  const [first] = prompts
  if (first && !isFused(context.decoder)) return [await hubStream(first, context)]
  if (first && prompts.length === 1) return [await fusedStream(first, context)]
  return await batchedStreams(prompts, context)
}

async function hubStream(prompt: Prompt, context: Context): Promise<DecodeStream> {
  const decoder = new HubDecoder(context.decoder, context.manifest.cache)
  const logits = await prefillSequence(context, decoder, prompt)
  const feed = afterPrefill(logits, tokens => feedTokens(context, decoder, tokens))
  return { canRewind: false, feed, leave: () => {} }
}

async function fusedStream(prompt: Prompt, context: Context): Promise<DecodeStream> {
  const decoder = new FusedDecoder(context.decoder, 1, capacity(prompt), context.manifest.cache)
  const [logits] = await prefillRows(context, decoder, [prompt])
  const row = decoder.row(0)
  const feed = afterPrefill(logits as Float32Array[], async (tokens, rewind) => {
    row.rewind(rewind)
    return await feedTokens(context, row, tokens)
  })
  return { canRewind: true, feed, leave: () => {} }
}

async function batchedStreams(prompts: readonly Prompt[], context: Context): Promise<DecodeStream[]> {
  const { embed, manifest } = context
  // one token more than a row needs: the filler that is fed to a row whose loop has ended
  const rowCapacity = Math.max(...prompts.map(capacity)) + 1
  const decoder = new FusedDecoder(context.decoder, prompts.length, rowCapacity, manifest.cache)
  // `prefillRows` takes the prompts that prefill their own prefix first
  const rows = prompts
    .filter(prefillsPrefix)
    .concat(prompts.filter((prompt, index) => !prefillsPrefix(prompt, index, prompts)))
  const logits = await prefillRows(context, decoder, rows)
  const batch = new BatchedDecoder(rows.length, async tokens => {
    const embeds = await embed.ofStep(tokens.map(token => token ?? FILLER))
    return await decoder.step(
      embeds,
      tokens.map(token => token !== null),
    )
  })
  return prompts.map(prompt => {
    const row = rows.indexOf(prompt)
    const feed = afterPrefill(logits[row] as Float32Array[], tokens => batch.feed(row, tokens))
    return { canRewind: false, feed, leave: () => batch.leave(row) }
  })
}

/** The most tokens that a prompt and its answer come to. */
function capacity({ prepared: { ids, maxNewTokens } }: Prompt): number {
  return ids.length + maxNewTokens
}

/** `feed` of a decode loop: the first call is answered with the prefill's logits, all others by `next`. */
function afterPrefill(logits: Float32Array[], next: DecodeOptions['feed']): DecodeOptions['feed'] {
  let isFirst = true
  return async (tokens, rewind) => {
    if (!isFirst) return await next(tokens, rewind)
    isFirst = false
    return logits
  }
}

async function feedTokens(
  { embed }: Context,
  decoder: SequenceDecoder,
  tokens: readonly number[],
): Promise<Float32Array[]> {
  return await decoder.feed(await embed.ofStep(tokens), tokens.length, tokens.length)
}
