/** The engine process's models: loaded, and warmed up with one real answer each. */

import { targetPrompt } from '../../contract/prompts.js'
import { CropVlmError } from '../../errors.js'
import type { RawImage } from '../../image/decode.js'
import { READER_ID } from '../../ocr/page.js'
import { openReader, type TextReader } from '../../ocr/reader.js'
import { loadModel, type VisionLanguageModel } from '../../vlm/model.js'
import { noStep, type OnStep } from '../../vlm/on-step.js'
import { removeAbandoned } from '../../vlm/onnx/optimised/scratch.js'
import { plainImage } from '../../vlm/request.js'
import type { ModelFolder, WorkerOptions } from '../options.js'
import { findBoxesByAttention } from './attention/find-boxes.js'
import { findBox } from './find-boxes.js'
import { childLog } from './log.js'

export interface Models {
  /** null where no cropper model was asked for. */
  cropper: VisionLanguageModel | null
  /** By the local target's name in the configuration. */
  targets: ReadonlyMap<string, VisionLanguageModel>
  /** null where it was not asked for. */
  reader: TextReader | null
}

/** Loads what was asked for: the cropper, the local targets, the text reader; targets of the same folder and precision share a model. */
export async function loadModels(options: WorkerOptions, onStep: OnStep = noStep): Promise<Models> {
  const { executionProvider, verifyHashes, prefixCacheBytes, graphCacheDir, threads, memoryLimit = null } = options
  const log = (level: 'info' | 'warn', message: string) => childLog(level, {}, message)
  const graphCache = graphCacheDir === null ? null : { dir: graphCacheDir, memoryLimit, log }
  if (graphCacheDir !== null) await removeAbandoned(graphCacheDir)
  const load = ({ dir, precision }: ModelFolder, role: 'cropper' | 'target') =>
    loadModel({ dir, role, precision, executionProvider, threads, verifyHashes, prefixCacheBytes, graphCache, onStep })
  const cropper = options.cropper && (await load(options.cropper, 'cropper'))
  if (options.cropper?.attention && !cropper?.attends)
    throw new CropVlmError(
      'invalid_model',
      `${options.cropper.dir}: the model does not tell where it looks; export it with \`cropvlm-train export --attention\`, or choose another cropper.`,
    )
  const targets = new Map<string, VisionLanguageModel>()
  for (const [index, target] of options.targets.entries()) {
    const twin = options.targets.slice(0, index).find(o => o.dir === target.dir && o.precision === target.precision)
    targets.set(target.name, (twin && targets.get(twin.name)) ?? (await load(target, 'target')))
  }
  const reader = options.ocr ? await openReader(threads, graphCache, onStep) : null
  return { cropper, targets, reader }
}

/** Has the cropper find one box and each target write two tokens, so that memory is allocated and the models are known to answer. */
export async function warmUp(
  { cropper, targets, reader }: Models,
  { cropper: folder, constrained, targets: named }: WorkerOptions,
  onStep: OnStep = noStep,
): Promise<void> {
  const image = plainImage(greyImage(64, 48))
  const { signal } = new AbortController()
  const request = { image, question: 'What is this?', resolution: null, signal }
  if (cropper) onStep('finding a first box with', folder?.dir ?? '')
  if (cropper && folder?.attention) {
    const [outcome] = await findBoxesByAttention(cropper, [request])
    if (outcome?.status === 'rejected') throw outcome.reason
  } else if (cropper) await findBox(cropper, request, constrained)
  for (const model of new Set(targets.values())) {
    onStep('writing a first answer with', named.find(({ name }) => targets.get(name) === model)?.dir ?? '')
    await model.generate({
      images: [image, image],
      text: targetPrompt('What is this?'),
      resolution: null,
      maxNewTokens: 2,
      temperature: 0,
      grammar: null,
      signal,
    })
  }
  if (reader) onStep('reading a first page with', READER_ID)
  await reader?.warmUp()
  // without this, the garbage of loading, tens of megabytes, stays until the heap has grown by as much again
  globalThis.gc?.()
}

function greyImage(width: number, height: number): RawImage {
  return { width, height, data: new Uint8Array(width * height * 3).fill(128) }
}
