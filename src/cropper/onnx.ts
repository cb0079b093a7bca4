import { resolve } from 'node:path'
import type { Config } from '../config/service.js'
import type { Engine } from '../engine/engine.js'
import type { ModelFolder } from '../engine/options.js'
import type { LocateJob, LocateResult } from '../engine/protocol.js'
import type { Cropper, FindRequest, Found } from './cropper.js'
import { sameImage } from './same-image.js'

/** The folder that the engine loads for this cropper. */
export function onnxModel({ cropperModel, modelPrecision }: Config): ModelFolder {
  return { dir: resolve(cropperModel ?? ''), precision: modelPrecision }
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
    async find(requests) {
      const outcomes = new Map<FindRequest, PromiseSettledResult<Found>>()
      await Promise.all(
        sameImage(requests).map(async group => {
          for (const [i, outcome] of (await locate(engine, group, how)).entries())
            outcomes.set(group[i] as FindRequest, outcome)
        }),
      )
      return requests.map(request => outcomes.get(request) as PromiseSettledResult<Found>)
    },
  }
}

/** The outcomes of one group, found by one job. */
async function locate(
  engine: Engine,
  group: readonly FindRequest[],
  how: Pick<LocateJob, 'by'>,
): Promise<PromiseSettledResult<Found>[]> {
  const [{ image, resolution, keepPixels, signal, deadline }] = group as [FindRequest]
  const questions = group.map(({ question }) => question)
  try {
    const job: LocateJob = { kind: 'locate', image, questions, resolution, keepPixels, ...how }
    const result = await engine.run(job, { signal, deadline })
    return toFound(result).map(value => ({ status: 'fulfilled', value }))
  } catch (reason) {
    return group.map(() => ({ status: 'rejected', reason }))
  }
}

function toFound({ boxes, image, model, timings }: LocateResult): Found[] {
  return boxes.map(box => ({ ...box, image, model, timings }))
}
