import type { RawImage } from '../../image/decode.js'
import { floats, type Session } from '../../vlm/onnx/session.js'
import { pictureTensor } from '../tensor.js'
import { decodeCtc, type Reading } from './ctc.js'

/** Least width of a run's input, in pixels. */
const MIN_WIDTH = 64
/** Widths are rounded up to multiples of this: the graph has a step every eight pixels. */
const STEP = 8

/**
 * Reads a line that has been cut out. Lines go through the graph one by one: on a CPU a batch gains nothing, its large
 * intermediate tensors cost a quarter more time, and what one line says would depend on the others' widths.
 * @param cut 48 pixels high.
 */
export async function recognizeLine(graph: Session, characters: readonly string[], cut: RawImage): Promise<Reading> {
  const [name] = graph.inputs.keys()
  const width = Math.max(MIN_WIDTH, Math.ceil(cut.width / STEP) * STEP)
  const [output] = Object.values(await graph.run({ [name as string]: pictureTensor(cut, width) }))
  if (!output) throw new Error('the recognition has no output')
  const [, steps, classes] = output.dims
  return decodeCtc(floats(output), [steps as number, classes as number], characters)
}
