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
  private readonly cache: Record<string, TensorValue> = {}
  /** For each input of the cache the output that takes its place after a run. */
  private readonly successors: readonly { input: string; output: string }[]
  /** Tokens in the cache. */
  private length = 0

  constructor(
    private readonly session: Session,
    shape: CacheShape,
  ) {
    const inputs = cacheInputs(session, shape)
    this.successors = inputs.map(({ input }) => ({ input, output: input.replace('past_key_values', 'present') }))
    for (const { input, type, heads, headDim } of inputs)
      this.cache[input] = {
        data: type === 'float16' ? new Uint16Array(0) : new Float32Array(0),
        dims: [1, heads, 0, headDim],
      }
  }

  async feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]> {
    if (this.length === 0) return this.run(embeds, length, wanted)
    // Some graphs of the hub get the attention mask wrong when several new tokens follow cached ones. All of them are
    // right for a single token, so the tokens are fed one by one.
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
      // Newer exports have this input. With it they compute logits for the last tokens only, not for the whole prompt.
      // For graphs without it the session leaves it out.
      num_logits_to_keep: { data: BigInt64Array.of(BigInt(wanted)), dims: [] },
      ...this.cache,
    })
    for (const { input, output } of this.successors) {
      const value = outputs[output]
      if (!value) throw new Error(`the decoder graph gave no ${output}`)
      this.cache[input] = value
    }
    this.length = total
    const [logits] = lastLogits(outputs.logits, 1, wanted)
    return logits as Float32Array[]
  }
}
