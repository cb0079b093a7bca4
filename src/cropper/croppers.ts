/** Where croppers are made: a new kind is a file beside this one and an entry of `CROPPERS`. */
import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { ModelFolder } from '../engine/options.js'
import type { Cropper } from './cropper.js'
import { onnxCropper, onnxModel } from './onnx.js'

interface CropperKind {
  /** The model folder that the engine loads for it; null: none. */
  model(config: Config): ModelFolder | null
  make(engine: Engine, config: Config): Cropper
}

const CROPPERS: Readonly<Record<Config['cropper'], CropperKind>> = {
  onnx: { model: onnxModel, make: onnxCropper },
}

/** What the engine has to load for the configured cropper. */
export function cropperModel(config: Config): ModelFolder | null {
  return CROPPERS[config.cropper].model(config)
}

/** The configured cropper. */
export function makeCropper(engine: Engine, config: Config): Cropper {
  return CROPPERS[config.cropper].make(engine, config)
}
