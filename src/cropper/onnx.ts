import { modelFolder } from '../config/model-folder.js'
import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { ModelFolder } from '../engine/options.js'
import type { LocateJob, LocateResult } from '../engine/protocol.js'
import type { Cropper, Found } from './cropper.js'
import { findByImage, type ImageGroup } from './same-image.js'

/** The folder that the engine loads for this cropper. */
export function onnxModel({ cropperModel, modelPrecision }: Config): ModelFolder {
  return { dir: modelFolder(cropperModel ?? ''), precision: modelPrecision }
}

/** CropVLM's own model, run by the engine. Questions about one image are one job: the image is read once for all. */
export function onnxCropper(engine: Engine): Cropper {
  return locatingCropper(engine, 'onnx')
}

/**
 * A cropper whose boxes the engine's cropper model finds.
 * @param by How it finds them; the engine's default, where it is left out.
 */
export function locatingCropper(engine: Engine, name: string, by?: LocateJob['by']): Cropper {
  const how = by === undefined ? {} : { by }
  return {
    get info() {
      const model = engine.info?.models.find(({ role }) => role === 'cropper')
      const warnings = model?.warning ? [model.warning] : []
      return { name, resolutions: model?.resolutions ?? null, warnings }
    },
    find: requests => findByImage(requests, group => locate(engine, group, how)),
  }
}

/** The outcomes of one group, found by one job. */
async function locate(
  engine: Engine,
  group: Readonly<ImageGroup>,
  how: Pick<LocateJob, 'by'>,
): Promise<PromiseSettledResult<Found>[]> {
  const [{ image, resolution, keepPixels, signal, deadline }] = group
  const questions = group.map(({ question }) => question)
  const job: LocateJob = { kind: 'locate', image, questions, resolution, keepPixels, ...how }
  const result = await engine.run(job, { signal, deadline })
  return toFound(result).map(value => ({ status: 'fulfilled', value }))
}

function toFound({ boxes, image, model, timings }: LocateResult): Found[] {
  return boxes.map(box => ({ ...box, image, model, timings }))
}
