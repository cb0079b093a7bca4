/** Where croppers are made: a new one is a file beside this one and a line here. */
import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { ModelFolder } from '../engine/options.js'
import type { Cropper } from './cropper.js'
import { onnxCropper, onnxModel } from './onnx.js'
import { textCropper } from './text.js'

interface CropperKind {
  /** The model folder that the engine loads for it; null: none. */
  model(config: Config): ModelFolder | null
  /** Whether the engine reads text for it. */
  reads?: boolean
  make(engine: Engine, config: Config): Cropper
}

const CROPPERS: Readonly<Record<Config['cropper'], CropperKind>> = {
  onnx: { model: onnxModel, make: onnxCropper },
  text: { model: () => null, reads: true, make: textCropper },
}

/** What the engine has to load for the configured cropper. */
export function cropperModel(config: Config): ModelFolder | null {
  return CROPPERS[config.cropper].model(config)
}

/** Whether the engine has to read text for the configured cropper. */
export function cropperReads(config: Config): boolean {
  return CROPPERS[config.cropper].reads ?? false
}

/** The configured cropper. */
export function makeCropper(engine: Engine, config: Config): Cropper {
  return CROPPERS[config.cropper].make(engine, config)
}
