/**
 * What `FusedDecoder` and `HubDecoder` have in common. There is one for each layout of the decoder graph: the one that
 * `cropvlm-train export` writes, and the one that is usual on the Hugging Face hub.
 */
import { floats, type TensorValue } from '../onnx/session.js'

/** The text decoder over one sequence of tokens. It keeps the sequence's keys and values in a KV cache of its own. */
export interface SequenceDecoder {
  /**
   * Appends tokens to the sequence.
   * @param embeds Their embeddings, `[length, dim]`.
   * @param length How many tokens are appended.
   * @param wanted How many rows of logits are returned, at most `length`.
   * @returns the logits, `[vocabulary]` each, after each of the last `wanted` tokens, in order
   */
  feed(embeds: Float32Array, length: number, wanted: number): Promise<Float32Array[]>
}

/** A sequence whose last tokens can be removed again. */
export interface RewindableDecoder extends SequenceDecoder {
  /** Removes the last `count` tokens of the sequence. */
  rewind(count: number): void
}

/**
 * The graph's input `attention_mask`, `[lengths.length, width]`: for each row, ones for the tokens of the sequence and
 * zeros for the padding after them.
 * @param lengths Tokens of each sequence, those of earlier runs included.
 */
export function attentionMask(lengths: readonly number[], width: number): TensorValue {
  const data = new BigInt64Array(lengths.length * width)
  lengths.forEach((length, row) => {
    data.fill(1n, row * width, row * width + length)
  })
  return { data, dims: [lengths.length, width] }
}

/**
 * The last `wanted` rows of logits of each sequence.
 * @param logits The graph's output, `[sequences, given, vocabulary]`; `given` is at least `wanted`.
 */
export function lastLogits(logits: TensorValue | undefined, sequences: number, wanted: number): Float32Array[][] {
  const [, given = 0, vocabulary = 0] = logits?.dims ?? []
  if (!logits || given < wanted) throw new Error('the decoder graph gave too few logits')
  const all = floats(logits)
  return Array.from({ length: sequences }, (_, sequence) =>
    Array.from({ length: wanted }, (_, i) => {
      const start = (sequence * given + given - wanted + i) * vocabulary
      return all.subarray(start, start + vocabulary)
    }),
  )
}
