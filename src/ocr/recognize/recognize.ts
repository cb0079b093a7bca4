import type { RawImage } from '../../image/decode.js'
import { floats, type Session } from '../../vlm/onnx/session.js'
import { pictureTensor } from '../tensor.js'
import { batches } from './batches.js'
import { decodeCtc, type Reading } from './ctc.js'

/**
 * Reads lines that have been cut out.
 * @param checkpoint Called before each run of the graph; what it throws ends the work.
 * @returns One reading a line, in their order.
 */
export async function recognizeLines(
  graph: Session,
  characters: readonly string[],
  cuts: readonly RawImage[],
  checkpoint: () => Promise<void>,
): Promise<Reading[]> {
  const readings: Reading[] = []
  const [name] = graph.inputs.keys()
  for (const { lines, width } of batches(cuts.map(cut => cut.width))) {
    await checkpoint()
    const input = pictureTensor(
      lines.map(line => cuts[line] as RawImage),
      width,
    )
    const [output] = Object.values(await graph.run({ [name as string]: input }))
    if (!output) throw new Error('the recognition has no output')
    const read = decodeCtc(floats(output), output.dims as unknown as [number, number, number], characters)
    for (const [i, line] of lines.entries()) readings[line] = read[i] as Reading
  }
  return readings
}
