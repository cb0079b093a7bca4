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
 * ViCrop's relative attention: boxes are where a model looks that the engine runs, which needs no training. They have
 * no confidence. Questions about one image are one job.
 */
export function attentionCropper(engine: Engine): Cropper {
  return locatingCropper(engine, 'attention', 'attention')
}
