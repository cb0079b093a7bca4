import { CropVlmError } from '../../../errors.js'

/** The error for a graph that is not given to ONNX Runtime. @param why A sentence without its full stop. */
export function refusal(graph: string, why: string): CropVlmError {
  return new CropVlmError(
    'invalid_model',
    `${graph} is not loaded as an ONNX graph: ${why}. No real model needs that; fetch or export the model again, from a source that you trust.`,
  )
}
