import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { ModelFolder } from '../engine/options.js'
import type { Cropper } from './cropper.js'
import { locatingCropper, onnxModel } from './onnx.js'

/** The folder that the engine loads for this cropper; it has to be exported with `--attention`. */
export function attentionModel(config: Config): ModelFolder {
  return { ...onnxModel(config), attention: true }
}

/**
 * Finds boxes by ViCrop's relative attention: the engine runs a model, and the box surrounds the part of the image to
 * which the model attends most when it is asked the question. The model needs no training for this. The boxes have no
 * confidence. All questions about one image are one job of the engine.
 */
export function attentionCropper(engine: Engine): Cropper {
  return locatingCropper(engine, 'attention', 'attention')
}
