/** Copies of model folders with other weights. */
import { createHash } from 'node:crypto'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fieldsOf } from '../../../src/vlm/onnx/optimised/protobuf.js'

type Graph = 'decoder_model_merged.onnx' | 'embed_tokens.onnx'

/**
 * A copy with every float32 tensor of one of its fp32 graphs changed, and the graph's hash as it then is.
 * @param into An empty folder, which becomes the copy.
 * @param change Is given the values of a tensor, four bytes each, and its shape.
 */
export function changedModel(
  from: string,
  into: string,
  graph: Graph,
  change: (values: Buffer, shape: readonly number[]) => void,
): string {
  cpSync(from, into, { recursive: true })
  const bytes = readFileSync(join(into, 'onnx', graph))
  for (const { values, shape } of floatTensors(bytes)) change(values, shape)
  writeFileSync(join(into, 'onnx', graph), bytes)
  const manifest = JSON.parse(readFileSync(join(into, 'cropvlm.json'), 'utf8'))
  manifest.sha256[`onnx/${graph}`] = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(join(into, 'cropvlm.json'), JSON.stringify(manifest))
  return into
}

/** A copy whose embedding of one letter is NaN: a question with it gets no numbers, and no other does. */
export function modelThatFearsLetter(from: string, into: string, letter: string): string {
  const { model } = JSON.parse(readFileSync(join(from, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> }
  }
  const token = model.vocab[letter]
  if (token === undefined) throw new Error(`the vocabulary has no token ${letter}`)
  const size = Object.keys(model.vocab).length
  return changedModel(from, into, 'embed_tokens.onnx', (values, [rows = 0]) => {
    const row = values.length / rows
    if (rows >= size) fillWithNaN(values.subarray(token * row, (token + 1) * row))
  })
}

export function fillWithNaN(values: Buffer): void {
  for (let at = 0; at + 4 <= values.length; at += 4) values.writeFloatLE(Number.NaN, at)
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
