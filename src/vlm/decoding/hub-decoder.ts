import type { Session, TensorValue } from '../onnx/session.js'
import { attentionMask, lastLogits, type SequenceDecoder } from './decoder.js'
import { type CacheShape, cacheInputs } from './kv-cache.js'

/**
 * One sequence, decoded by a graph in the layout of the Hugging Face hub. Such a graph takes the whole KV cache as
 * inputs `past_key_values.*`, appends the new tokens' keys and values inside, and returns the longer cache as outputs
 * `present.*`. Nothing can be removed from it.
 */
export class HubDecoder implements SequenceDecoder {
  /** The KV cache: tensors `[1, heads, length, headDim]` by the names of the graph's inputs. */
  private readonly past: Record<string, TensorValue> = {}
  /** Which output takes the place of which input after a run. */
  private readonly presents: readonly { past: string; present: string }[]
  /** Tokens in the cache. */
  private length = 0

  constructor(
    private readonly session: Session,
    shape: CacheShape,
  ) {
    const inputs = cacheInputs(session, shape)
    this.presents = inputs.map(({ past }) => ({ past, present: past.replace('past_key_values', 'present') }))
    for (const { past, type, heads, headDim } of inputs)
      this.past[past] = {
        data: type === 'float16' ? new Uint16Array(0) : new Float32Array(0),
        dims: [1, heads, 0, headDim],
      }
  }

  async feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    if (this.length === 0) return this.run(embeds, length, wanted)
    // Some hub graphs mask several new tokens after a past wrongly, but all are right for a single one.
    const dim = embeds.length / length
    const all: Float32Array[] = []
    for (let i = 0; i < length; i++) all.push(...(await this.run(embeds.subarray(i * dim, (i + 1) * dim), 1, 1)))
    return all.slice(-wanted)
  }

  private async run(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    const total = this.length + length
    const positions = BigInt64Array.from({ length }, (_, i) => BigInt(this.length + i))
    const outputs = await this.session.run({
      inputs_embeds: { data: embeds, dims: [1, length, embeds.length / length] },
      attention_mask: attentionMask([total], total),
      position_ids: { data: positions, dims: [1, length] },
      // An input of newer exports only: they then compute fewer logits than one row for each token of the prompt.
      num_logits_to_keep: { data: BigInt64Array.of(BigInt(wanted)), dims: [] },
      ...this.past,
    })
    for (const { past, present } of this.presents) {
      const value = outputs[present]
      if (!value) throw new Error(`the decoder graph gave no ${present}`)
      this.past[past] = value
    }
    this.length = total
    const [logits] = lastLogits(outputs.logits, 1, wanted)
    return logits as Float32Array[]
  }
}
