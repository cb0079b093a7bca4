/** Copies of the bundled cropper with other weights. */
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../../../bench/root.js'
import { fieldsOf } from '../../../src/vlm/onnx/optimised/protobuf.js'

const BUNDLED = join(ROOT, 'models/cropvlm-mini')

/** What a service needs for such a copy: its fp32 graphs, and none of those that were optimised before. */
export function settingsFor(folder: string): Record<string, string> {
  return { CROPPER_MODEL: folder, MODEL_PRECISION: 'fp32', GRAPH_CACHE_DIR: 'off' }
}

/** A copy of the bundled cropper, as it is. @param into An empty folder, which becomes the copy. */
export function copyOfModel(into: string): string {
  cpSync(BUNDLED, into, { recursive: true })
  return into
}

/**
 * A copy with every float32 tensor of one of its graphs changed, and the graph's hash as it then is.
 * @param graph Without its folder.
 * @param change Is given the values of a tensor, four bytes each, and its shape.
 */
export function changedModel(
  into: string,
  graph: 'decoder_model_merged.onnx' | 'embed_tokens.onnx',
  change: (values: Buffer, shape: readonly number[]) => void,
): string {
  const folder = copyOfModel(into)
  const bytes = readFileSync(join(folder, 'onnx', graph))
  for (const { values, shape } of floatTensors(bytes)) change(values, shape)
  writeFileSync(join(folder, 'onnx', graph), bytes)
  const manifest = JSON.parse(readFileSync(join(folder, 'cropvlm.json'), 'utf8'))
  manifest.sha256[`onnx/${graph}`] = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(folder, 'cropvlm.json'), JSON.stringify(manifest))
  return folder
}

/** The token of a text that is one, in the bundled cropper's vocabulary. */
export function tokenOf(text: string): number {
  const { model } = JSON.parse(readFileSync(join(BUNDLED, 'tokenizer.json'), 'utf8'))
  const id: unknown = model.vocab[text]
  if (typeof id !== 'number') throw new Error(`the vocabulary has no token ${text}`)
  return id
}

/** The initialisers of a graph with float32 values, as views of the file (onnx.proto: ModelProto, GraphProto, TensorProto). */
function floatTensors(model: Buffer): { values: Buffer; shape: number[] }[] {
  const [GRAPH, INITIALIZER, DIMS, RAW_DATA] = [7, 5, 1, 9]
  // data_type, field 2, is FLOAT: tag and value, a byte each
  const isFloat = (bytes: Uint8Array) => bytes[0] === 0x10 && bytes[1] === 1
  const graphs = fieldsOf(model).filter(({ number }) => number === GRAPH)
  const tensors = graphs.flatMap(({ value }) =>
    fieldsOf(value ?? Buffer.alloc(0)).filter(({ number }) => number === INITIALIZER),
  )
  return tensors.flatMap(({ value }) => {
    const fields = fieldsOf(value ?? Buffer.alloc(0))
    const raw = fields.find(({ number }) => number === RAW_DATA)?.value
    if (!raw || !fields.some(({ bytes }) => isFloat(bytes))) return []
    const shape = fields.flatMap(({ number, value: packed, bytes }) =>
      number === DIMS ? varints(packed ?? bytes.subarray(1)) : [],
    )
    return [{ values: Buffer.from(raw.buffer, raw.byteOffset, raw.length), shape }]
  })
}

function varints(bytes: Uint8Array): number[] {
  const numbers: number[] = []
  let [value, scale] = [0, 1]
  for (const byte of bytes) {
    value += (byte % 128) * scale
    scale *= 128
    if (byte >= 128) continue
    numbers.push(value)
    ;[value, scale] = [0, 1]
  }
  return numbers
}
