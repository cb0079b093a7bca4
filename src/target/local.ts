import { basename } from 'node:path'
import type { LocalTargetConfig } from '../config/service.js'
import { targetPrompt } from '../contract/prompts.js'
import type { Engine } from '../engine/engine.js'
import { picturesOf } from './chat-message.js'
import { runTargetJob } from './engine-job.js'
import type { Target, TargetAnswer, TargetRequest } from './target.js'

/** A model folder that the engine runs beside the cropper. It gets pictures at full size: its image processor resizes them. */
export function localTarget({ name, dir, resolution, timeoutMs }: LocalTargetConfig, engine: Engine): Target {
  return {
    name,
    model: basename(dir),
    kind: 'vlm',
    fullLongestEdge: null,
    cropLongestEdge: null,
    // its image processor brings every picture to the same longest edge
    enlarges: true,
    get warnings() {
      const model = engine.info?.models.find(({ id, role }) => role === 'target' && id === basename(dir))
      return model?.warning ? [model.warning] : []
    },
    local: true,
    breaker: null,
    answer: request => answer(request, name, resolution, timeoutMs, engine),
  }
}

async function answer(
  request: TargetRequest,
  model: string,
  resolution: number | null,
  timeoutMs: number,
  engine: Engine,
): Promise<TargetAnswer> {
  const { question, maxTokens, temperature } = request
  const images = picturesOf(request).map(({ bytes }) => bytes)
  const job = {
    kind: 'generate',
    model,
    images,
    text: targetPrompt(question),
    resolution,
    maxTokens,
    temperature,
  } as const
  const { text, finishReason, usage } = await runTargetJob(engine, job, request, timeoutMs, 'The local target')
  return { text: text.trim(), reasoning: null, refusal: null, finishReason, usage }
}
