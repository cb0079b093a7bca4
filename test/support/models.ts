import { loadModel, type ModelOptions, type VisionLanguageModel } from '../../src/vlm/model.js'
import { MODELS } from './goldens.js'

/** A model folder of the fixtures as a cropper: one thread, hashes checked, nothing kept of images. */
export async function loadFixture(folder: string, changes: Partial<ModelOptions> = {}): Promise<VisionLanguageModel> {
  return await loadModel({
    dir: `${MODELS}${folder}`,
    role: 'cropper',
    precision: null,
    executionProvider: 'cpu',
    threads: 1,
    verifyHashes: true,
    graphCache: null,
    prefixCacheBytes: 0,
    ...changes,
  })
}
