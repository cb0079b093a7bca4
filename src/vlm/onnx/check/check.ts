import { GraphFile } from './graph-file.js'
import { ModelFile } from './read.js'
import { Walk } from './walk.js'

/**
 * Looks through a graph before ONNX Runtime does, which would take whatever memory and time it asks for. Weights are skipped:
 * only their sizes count. What shows only when a graph runs is not found here; the engine's limits of memory and time hold
 * for that.
 * @throws CropVlmError invalid_model for what no real model has; the file system's error if it cannot be read
 */
export function checkGraph(path: string): void {
  const file = new GraphFile(path)
  try {
    new Walk(new ModelFile(file)).model()
  } finally {
    file.close()
  }
}
