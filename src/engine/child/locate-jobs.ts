import { CropVlmError } from '../../errors.js'
import type { PromptImage } from '../../vlm/request.js'
import type { LocatedBox, LocateJob, LocateResult, Timings } from '../protocol.js'
import { type BoxSeen, findBoxesByAttention } from './attention/find-boxes.js'
import { type BoxFound, type BoxRequest, findBoxes } from './find-boxes.js'
import { type JobContext, type Settle, settlingAll, type Task } from './task.js'

/** A box, however it was found. */
type Located = BoxFound | BoxSeen

/** Finds the boxes of all questions of all jobs as one batch. A job fails if one of its questions does. */
export async function runLocateJobs(
  tasks: readonly Task<LocateJob>[],
  { models: { cropper }, files, limits, constrained }: JobContext,
  settle: Settle,
): Promise<void> {
  await settlingAll(tasks, settle, async () => {
    if (!cropper) throw new CropVlmError('internal_error', 'The engine was started without a cropper model.')
    const images = tasks.map(({ job }) => files.read(job.image, limits, job.keepPixels))
    const requests = tasks.flatMap(({ job: { questions, resolution, by = 'decoding' }, signal }, i) =>
      questions.map(question => ({ by, request: { image: images[i] as PromptImage, question, resolution, signal } })),
    )
    const found = new Map<BoxRequest, PromiseSettledResult<Located>>()
    for (const by of ['decoding', 'attention'] as const) {
      const some = requests.filter(one => one.by === by).map(({ request }) => request)
      if (some.length === 0) continue
      const outcomes = await (by === 'attention'
        ? findBoxesByAttention(cropper, some)
        : findBoxes(cropper, some, constrained))
      for (const [i, outcome] of outcomes.entries()) found.set(some[i] as BoxRequest, outcome)
    }
    const outcomes = requests.map(({ request }) => found.get(request) as PromiseSettledResult<Located>)
    for (const task of tasks) {
      const own = outcomes.splice(0, task.job.questions.length)
      await settlingAll([task], settle, async () => {
        const found = own.map(outcome => {
          if (outcome.status === 'rejected') throw outcome.reason
          return outcome.value
        })
        task.signal.throwIfAborted()
        settle(task, { status: 'fulfilled', value: locateResult(found, cropper.info.id) })
      })
    }
  })
}

function locateResult(found: readonly Located[], modelId: string): LocateResult {
  const [first] = found
  if (!first) throw new Error('a job without questions')
  return {
    kind: 'locate',
    boxes: found.map(located),
    image: first.size,
    model: { id: modelId, resolution: first.resolution, tiles: first.tiles },
    timings: { queue: 0, ...stages(found), crop: 0 },
    // what questions went through together is one object
    intervals: [...new Set(found.flatMap(({ intervals }) => intervals))],
  }
}

function located({ generatedTokens, runs, nonGreedyTokens, reused, group, ...found }: Located): LocatedBox {
  const { box, decision, reason, confidence, raw } = found
  const cost = { generatedTokens, runs, nonGreedyTokens, reused, batch: group.size }
  return { box, decision, reason, confidence, raw, cost }
}

/** The time that all questions took together. What was done for several questions at once counts once. */
function stages(found: readonly Located[]): Omit<Timings, 'queue' | 'crop'> {
  const sum = (boxes: readonly Located[], stage: keyof Located['timings']) =>
    boxes.reduce((total, { timings }) => total + timings[stage], 0)
  // for each group that was prefilled and decoded together: its member that took longest
  const slowest = new Map<object, Located>()
  for (const box of found) {
    const known = slowest.get(box.group)
    if (!known || box.timings.generate > known.timings.generate) slowest.set(box.group, box)
  }
  const groups = [...slowest.values()]
  return {
    decode: sum(found, 'decode'),
    preprocess: sum(found, 'preprocess'),
    vision: Math.max(...found.map(({ timings }) => timings.vision)),
    prefill: sum(groups, 'prefill'),
    generate: sum(groups, 'generate'),
  }
}
