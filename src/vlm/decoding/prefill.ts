import type { Manifest } from '../folder/manifest.js'
import type { Features } from '../idefics3/vision-encoder.js'
import type { Prepared } from '../prepare.js'
import { placeFeatures, type TokenEmbeddings } from '../tokens/embeddings.js'
import type { FusedRows, Sequence } from './fused-decoder.js'
import type { CachedPrefix } from './kv-cache.js'
import type { PrefixCache } from './prefix-cache.js'

/** What a prefill stands on beside the decoder. */
export interface PrefillContext {
  manifest: Manifest
  embed: TokenEmbeddings
  cache: PrefixCache
}

/** A prompt, and the tokens forced behind it. */
export interface Prompt {
  prepared: Prepared
  forced: readonly number[]
}

/**
 * Whether a prompt has to prefill its first image itself: neither an earlier request nor one before it in `prompts`
 * has that image too.
 */
export function isLeader({ prepared }: Prompt, index: number, prompts: readonly Prompt[]): boolean {
  const [first] = prepared.images
  return !first || (first.prefix === null && !prompts.slice(0, index).some(other => other.prepared.images[0] === first))
}

/** Feeds a whole prompt; gives the logits behind it and behind each forced token. */
export async function prefillSequence(
  context: PrefillContext,
  sequence: Sequence,
  prompt: Prompt,
): Promise<Float32Array[]> {
  const { prepared, forced } = prompt
  const embeds = await embedPrompt(context, prompt, 0)
  keep(context, prepared, null)
  return await sequence.feed(embeds, prepared.ids.length + forced.length, forced.length + 1)
}

/**
 * The same for the rows of one cache, leaders first. Those are fed in one run, and the keys and values of their first
 * images are kept; the others go on behind these.
 */
export async function prefillRows(
  context: PrefillContext,
  rows: FusedRows,
  prompts: readonly Prompt[],
): Promise<Float32Array[][]> {
  const leaders = prompts.filter(isLeader)
  const others = prompts.slice(leaders.length)
  const logits = leaders.length > 0 ? await prefillLeaders(context, rows, leaders) : []
  for (const { prepared, forced } of others) {
    const prefix = prepared.images[0]?.prefix
    if (!prefix) throw new Error('nobody has prefilled the image that this prompt shares')
    const row = logits.length
    rows.load(row, prefix)
    const embeds = await embedPrompt(context, { prepared, forced }, prefix.length)
    const length = prepared.ids.length + forced.length - prefix.length
    logits.push(await rows.row(row).feed(embeds, length, forced.length + 1))
  }
  return logits
}

async function prefillLeaders(context: PrefillContext, rows: FusedRows, leaders: readonly Prompt[]) {
  const prompts: { embeds: Float32Array; length: number }[] = []
  for (const prompt of leaders) {
    const length = prompt.prepared.ids.length + prompt.forced.length
    prompts.push({ embeds: await embedPrompt(context, prompt, 0), length })
  }
  const logits = await rows.prefill(prompts, Math.max(...leaders.map(({ forced }) => forced.length)) + 1)
  return leaders.map(({ prepared, forced }, row) => {
    if (prepared.key !== null) keep(context, prepared, rows.save(row, prefixLength(prepared, context.manifest)))
    return (logits[row] as Float32Array[]).slice(-forced.length - 1)
  })
}

/** Keeps what was computed of a first image: keys and values, or the features where a graph cannot go on behind those. */
function keep({ cache }: PrefillContext, { images: [first], key }: Prepared, prefix: CachedPrefix | null): void {
  if (!first || key === null) return
  first.prefix = prefix
  cache.set(key, { ...first, processed: null, features: prefix ? null : first.features })
}

/** Tokens up to the first image's last. They are the same whatever the text: the template puts images first. */
function prefixLength({ ids, images: [first] }: Prepared, { imageToken, prompt }: Manifest): number {
  let left = (first?.grid.tiles ?? 0) * prompt.tokensPerTile
  return ids.findIndex(id => id === imageToken && --left === 0) + 1
}

/** The embeddings of prompt and forced tokens from place `from` on, the image tokens' replaced by features. */
async function embedPrompt(
  { embed, manifest }: PrefillContext,
  { prepared, forced }: Prompt,
  from: number,
): Promise<Float32Array> {
  const ids = [...prepared.ids, ...forced].slice(from)
  const embeds = await embed.of(ids)
  const images = from === 0 ? prepared.images : prepared.images.slice(1)
  placeFeatures(
    embeds,
    ids,
    images.map(({ features }) => features as Features),
    manifest.imageToken,
  )
  return embeds
}
