/** Boxes by attention, as the engine's jobs ask for them. */
import { resolve } from 'node:path'
import t from 'tap'
import { boxProblem } from '../../../../src/contract/box.js'
import { findBoxesByAttention } from '../../../../src/engine/child/attention/find-boxes.js'
import { ImageFiles } from '../../../../src/engine/child/image-file.js'
import { runJobs } from '../../../../src/engine/child/jobs.js'
import { loadModels, type Models, warmUp } from '../../../../src/engine/child/models.js'
import type { Outcome, Task } from '../../../../src/engine/child/task.js'
import type { WorkerOptions } from '../../../../src/engine/options.js'
import type { LocateJob } from '../../../../src/engine/protocol.js'
import type { VisionLanguageModel } from '../../../../src/vlm/model.js'
import { plainImage } from '../../../../src/vlm/request.js'
import { noise } from '../../../support/scripted.js'

const FIXTURES = resolve(import.meta.dirname, '../../../fixtures/models')
const { signal } = new AbortController()
const photo = await noise(400, 300)
const options = (folder: string, attention: boolean): WorkerOptions => ({
  cropper: { dir: resolve(FIXTURES, folder), precision: null, attention },
  targets: [],
  ocr: false,
  executionProvider: 'cpu',
  threads: 1,
  graphCacheDir: null,
  prefixCacheBytes: 1e8,
  verifyHashes: true,
  constrained: true,
  limits: { maxPixels: 1e6, maxAspect: 20 },
})

async function run(models: Models, jobs: readonly Partial<LocateJob>[]): Promise<Outcome[]> {
  const tasks = jobs.map(
    (job): Task<LocateJob> => ({
      job: { kind: 'locate', image: photo, questions: ['Who?'], resolution: null, keepPixels: false, ...job },
      signal,
    }),
  )
  const outcomes = new Map<Task, Outcome>()
  const { limits, constrained } = options('tiny-attention', true)
  await runJobs(tasks, { models, files: new ImageFiles(), limits, constrained }, (task, outcome) => {
    outcomes.set(task, outcome)
  })
  return tasks.map(task => outcomes.get(task) as Outcome)
}

t.test('a box without confidence and text, beside one that is written', async t => {
  const models = await loadModels(options('tiny-attention', true))
  await warmUp(models, options('tiny-attention', true))
  const [seen, written, larger] = await run(models, [
    { by: 'attention', questions: ['Who?', 'Where is it?'] },
    { questions: ['Who?'] },
    { by: 'attention', resolution: 128 },
  ])
  t.match(seen, {
    status: 'fulfilled',
    value: {
      image: { width: 400, height: 300 },
      model: { id: 'tiny-attention', resolution: 64, tiles: 1 },
      boxes: [
        {
          decision: 'zoomed',
          reason: null,
          confidence: null,
          raw: '',
          cost: { generatedTokens: 0, runs: 2, batch: 1 },
        },
        { decision: 'zoomed', reason: null, confidence: null, raw: '', cost: { runs: 1, reused: true } },
      ],
    },
  })
  t.match(written, { value: { boxes: [{ confidence: Number, raw: /^\[/ }] } })
  t.match(larger, { value: { model: { resolution: 128, tiles: 5 } } })
  const found = seen?.status === 'fulfilled' && seen.value.kind === 'locate' ? seen.value.boxes : []
  t.same(
    found.map(({ box }) => boxProblem(box)),
    [null, null],
  )
})

t.test('a folder without attention does not start, and a job does not get a box', async t => {
  await t.rejects(loadModels(options('tiny', true)), {
    code: 'invalid_model',
    message: /tiny: the model does not tell where it looks; export it with `cropvlm-train export --attention`/,
  })
  const [outcome] = await run(await loadModels(options('tiny', false)), [{ by: 'attention' }])
  t.match(outcome, { status: 'rejected', reason: { code: 'invalid_model' } })
})

t.test('a map that is not finite is a fallback', async t => {
  const cells = Float64Array.of(1, Number.NaN, 1, 1)
  const model = {
    attendAll: async () => [
      {
        status: 'fulfilled',
        value: { map: { rows: 2, cols: 2, cells }, tile: 64, size: { width: 100, height: 80 }, runs: 2 },
      },
    ],
  } as unknown as VisionLanguageModel
  const image = plainImage({ width: 1, height: 1, data: new Uint8Array(3) })
  const [outcome] = await findBoxesByAttention(model, [{ image, question: 'Who?', resolution: null, signal }])
  t.match(outcome, { value: { decision: 'fallback', reason: 'no_box', box: [0, 0, 100, 100] } })
})
