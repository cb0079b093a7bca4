/** Starts all engines that are compared on one model, one after the other. */
import type { Precision } from '../../src/vlm/folder/graph-names.js'
import { bundledPrecisions, installTransformersJs, type ModelFolders } from '../models.js'
import type { Options } from '../options.js'
import { pythonMissing } from '../python.js'
import type { Engine } from './engine.js'
import { startOurs } from './ours.js'
import { startPeer } from './peer.js'

export interface Started {
  engines: Engine[]
  /** Peers that were left out, and why. */
  skipped: string[]
}

export async function startEngines(model: ModelFolders, options: Options, precisions: readonly string[]) {
  const { device, peers } = options
  const started: Started = { engines: [], skipped: [] }
  try {
    for (const precision of precisions) started.engines.push(await startOurs({ folder: model.ours, precision, device }))
    for (const { name, precision } of peers) {
      const folder = name === 'transformers' ? model.checkpoint : model.hub
      const missing =
        name === 'transformers' && pythonMissing() !== null
          ? pythonMissing()
          : folder === null && 'its checkpoint is not bundled; name it with --mini-checkpoint'
      if (folder === null || missing) {
        started.skipped.push(`${name} ${precision} on ${model.name}: ${missing}`)
        continue
      }
      if (name === 'transformers.js') await installTransformersJs()
      started.engines.push(await startPeer({ name, precision, folder, device }))
    }
    return started
  } catch (error) {
    await closeAll(started.engines)
    throw error
  }
}

export async function closeAll(engines: readonly Engine[]): Promise<void> {
  await Promise.all(engines.map(engine => engine.close()))
}

/** Those of the precisions that a bundled model can be run in without Python to make them. */
export function feasible(precisions: readonly Precision[]): Precision[] {
  return pythonMissing() === null ? [...precisions] : bundledPrecisions(precisions)
}
