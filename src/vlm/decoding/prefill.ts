/**
 * The prefill: the run that feeds a whole prompt to the decoder and fills its KV cache, before any token is chosen. The
 * prompt up to the end of its first image is called its prefix. It is the same for every question about that image, so
 * its keys and values can be copied from one prompt to another instead of being computed again.
 */
import type { Features } from '../family.js'
import type { Manifest } from '../folder/manifest.js'
import type { PreparedRequest } from '../prepare.js'
import { featureRows, placeFeatures, type TokenEmbeddings } from '../tokens/embeddings.js'
import type { SequenceDecoder } from './decoder.js'
import type { FusedDecoder } from './fused-decoder.js'
import type { CachedPrefix } from './kv-cache.js'
import type { PrefixCache } from './prefix-cache.js'

/** What a prefill needs beside the decoder. */
export interface PrefillContext {
  manifest: Manifest
  embed: TokenEmbeddings
  cache: PrefixCache
}

/** A prompt, and the opening tokens of its answer (see `openingTokens`), which are fed after it in the same run. */
export interface Prompt {
  prepared: PreparedRequest
  opening: readonly number[]
}

/**
 * Whether a prompt has to prefill its own prefix, because neither an earlier request nor a prompt that comes before it
 * in `prompts` has done so. True for a prompt without images too, which has no prefix to share.
 */
export function prefillsPrefix({ prepared }: Prompt, index: number, prompts: readonly Prompt[]): boolean {
  const [first] = prepared.images
  return !first || (first.prefix === null && !prompts.slice(0, index).some(other => other.prepared.images[0] === first))
}

/**
 * Prefills one prompt into a decoder whose keys and values cannot be copied. For later requests about its first image
 * it keeps the features.
 * @returns the logits after the prompt, then those after each opening token
 */
export async function prefillSequence(
  context: PrefillContext,
  decoder: SequenceDecoder,
  prompt: Prompt,
): Promise<Float32Array[]> {
  const { prepared, opening } = prompt
  const embeds = await embedPrompt(context, prompt, 0)
  keepImage(context, prepared, null)
  return await decoder.feed(embeds, prepared.ids.length + opening.length, opening.length + 1)
}

/**
 * Prefills several prompts, one a row, into the empty rows of a decoder. The prompts that prefill their own prefix are
 * fed in one run, and their prefixes are kept. Then each of the others gets a copy of its prefix, and the rest of it is
 * fed in a run of its own.
 * @param prompts Those for which `prefillsPrefix` is true have to come first.
 * @returns for each prompt the logits after it, then those after each opening token
 */
export async function prefillRows(
  context: PrefillContext,
  decoder: FusedDecoder,
  prompts: readonly Prompt[],
): Promise<Float32Array[][]> {
  const whole = prompts.filter(prefillsPrefix)
  const logits = whole.length > 0 ? await prefillWhole(context, decoder, whole) : []
  for (const prompt of prompts.slice(whole.length)) {
    const { prepared, opening } = prompt
    // null where the prompt that was to prefill it got no numbers
    const prefix = prepared.images[0]?.prefix ?? null
    const row = logits.length
    if (prefix) decoder.load(row, prefix)
    const known = prefix?.length ?? 0
    const embeds = await embedPrompt(context, prompt, known)
    const length = prepared.ids.length + opening.length - known
    logits.push(await decoder.row(row).feed(embeds, length, opening.length + 1))
  }
  return logits
}

/** Prefills prompts from their first token on, in one run, and keeps the prefixes of those whose image has a key. */
async function prefillWhole(
  context: PrefillContext,
  decoder: FusedDecoder,
  prompts: readonly Prompt[],
): Promise<Float32Array[][]> {
  const inputs: { embeds: Float32Array; length: number }[] = []
  for (const prompt of prompts) {
    const length = prompt.prepared.ids.length + prompt.opening.length
    inputs.push({ embeds: await embedPrompt(context, prompt, 0), length })
  }
  const logits = await decoder.prefill(inputs, Math.max(...prompts.map(({ opening }) => opening.length)) + 1)
  return prompts.map(({ prepared, opening }, row) => {
    const own = (logits[row] as Float32Array[]).slice(-opening.length - 1)
    // One token without numbers spoils the keys and values of all: what attention weighs with 0 is still NaN. Kept, they would
    // fail every other question about the image.
    if (prepared.key !== null && !own.some(hasNoNumbers))
      keepImage(context, prepared, decoder.save(row, prefixLength(prepared, context.manifest)))
    return own
  })
}

function hasNoNumbers(logits: Float32Array): boolean {
  return Number.isNaN(logits[0])
}

/**
 * Keeps what is known of a prompt's first image: the prefix, or the features if `prefix` is null. Other prompts of the
 * batch may still need both, so only the copy for later requests is without the features.
 */
function keepImage({ cache }: PrefillContext, prepared: PreparedRequest, prefix: CachedPrefix | null): void {
  const { key } = prepared
  const [first] = prepared.images
  if (!first || key === null) return
  first.prefix = prefix
  cache.set(key, { ...first, processed: null, features: prefix ? null : first.features })
}

/**
 * How many tokens of a prompt there are up to and including the last token of its first image. That image has as many
 * image tokens as its features have rows.
 */
function prefixLength({ ids, images: [first] }: PreparedRequest, { family: { imageToken } }: Manifest): number {
  const imageTokens = first?.features ? featureRows(first.features) : 0
  let seen = 0
  return ids.findIndex(id => id === imageToken && ++seen === imageTokens) + 1
}

/**
 * The embeddings, `[length, dim]`, of a prompt and its opening tokens, with the images' features in their places.
 * @param from Index of the first token wanted: 0, or the length of the prefix, which leaves the first image out.
 */
async function embedPrompt(
  { embed, manifest }: PrefillContext,
  { prepared, opening }: Prompt,
  from: number,
): Promise<Float32Array> {
  const ids = [...prepared.ids, ...opening].slice(from)
  const embeds = await embed.of(ids)
  const images = from === 0 ? prepared.images : prepared.images.slice(1)
  const features = images.map(image => image.features as Features)
  placeFeatures(embeds, ids, features, manifest.family.imageToken)
  return embeds
}
