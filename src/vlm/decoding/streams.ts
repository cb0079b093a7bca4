import type { Graphs } from '../model.js'
import { Lockstep } from './batched-decoder.js'
import type { DecodeOptions } from './decode.js'
import { FusedRows, HubSequence, isFused, type Sequence } from './fused-decoder.js'
import { isLeader, type PrefillContext, type Prompt, prefillRows, prefillSequence } from './prefill.js'

/** What one decode loop is driven by. */
export interface Feed extends Pick<DecodeOptions, 'feed' | 'guesses'> {
  /** The loop is over: nobody need wait for it. */
  leave(): void
}

type Context = PrefillContext & Graphs

/** Prefills one prompt, or several in one cache (graphs of our own only), and gives for each what comes after. */
export async function prefill(prompts: readonly Prompt[], context: Context): Promise<Feed[]> {
  const [only] = prompts
  if (only && !isFused(context.decoder)) return [await hubFeed(only, context)]
  return only && prompts.length === 1 ? [await rowFeed(only, context)] : await lockstepFeeds(prompts, context)
}

async function hubFeed(prompt: Prompt, context: Context): Promise<Feed> {
  const sequence = new HubSequence(context.decoder, context.manifest.cache)
  const logits = await prefillSequence(context, sequence, prompt)
  return { guesses: false, feed: behind(logits, tokens => feedTokens(context, sequence, tokens)), leave: () => {} }
}

async function rowFeed(prompt: Prompt, context: Context): Promise<Feed> {
  const rows = new FusedRows(context.decoder, 1, capacity(prompt), context.manifest.cache)
  const [logits] = await prefillRows(context, rows, [prompt])
  const row = rows.row(0)
  const step = async (tokens: readonly number[], back: number) => {
    row.rewind(back)
    return await feedTokens(context, row, tokens)
  }
  return { guesses: true, feed: behind(logits as Float32Array[], step), leave: () => {} }
}

async function lockstepFeeds(prompts: readonly Prompt[], context: Context): Promise<Feed[]> {
  const { decoder, embed, manifest } = context
  // one place more, for the filler of a row that is done
  const rows = new FusedRows(decoder, prompts.length, Math.max(...prompts.map(capacity)) + 1, manifest.cache)
  const order = prompts.filter(isLeader).concat(prompts.filter((prompt, i) => !isLeader(prompt, i, prompts)))
  const logits = await prefillRows(context, rows, order)
  const lockstep = new Lockstep(prompts.length, async tokens => {
    const embeds = await embed.ofStep(tokens.map(token => token ?? 0))
    return await rows.step(
      embeds,
      tokens.map(token => token !== null),
    )
  })
  return prompts.map(prompt => {
    const row = order.indexOf(prompt)
    const feed = behind(logits[row] as Float32Array[], tokens => lockstep.feed(row, tokens))
    return { guesses: false, feed, leave: () => lockstep.leave(row) }
  })
}

/** Most tokens that a prompt's row can come to hold. */
function capacity({ prepared: { ids, maxNewTokens } }: Prompt): number {
  return ids.length + maxNewTokens
}

/** The first call is answered by the prefill, which has fed its tokens already; the others by `step`. */
function behind(logits: Float32Array[], step: DecodeOptions['feed']): DecodeOptions['feed'] {
  let isFirst = true
  return async (tokens, back) => {
    if (!isFirst) return await step(tokens, back)
    isFirst = false
    return logits
  }
}

async function feedTokens({ embed }: Context, sequence: Sequence, tokens: readonly number[]): Promise<Float32Array[]> {
  return await sequence.feed(await embed.ofStep(tokens), tokens.length, tokens.length)
}
