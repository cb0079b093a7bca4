/** An engine that answers by script: the real one is tested in its own room and in test/integration. */
import type { CallOptions, Engine } from '../../../src/engine/engine.js'
import type {
  EngineInfo,
  GenerateJob,
  GenerateResult,
  Job,
  JobResult,
  LocatedBox,
  LocateJob,
  LocateResult,
  PictureRequest,
  ReadJob,
  ReadResult,
  RenderJob,
  RenderResult,
  ScriptMemory,
} from '../../../src/engine/protocol.js'
import { CropVlmError } from '../../../src/errors.js'

const TIMINGS = { queue: 0.31, decode: 9.14, preprocess: 4.2, vision: 20.5, prefill: 6, generate: 11.2, crop: 0 }

const INFO: EngineInfo = {
  models: [
    {
      id: 'cropvlm-mini',
      role: 'cropper',
      revision: 'r1',
      resolutions: [128, 256],
      defaultResolution: 128,
      precision: 'fp32',
      precisionReason: "the folder's own",
      sha256: { 'config.json': 'ab' },
      training: { recipe: 'sft', steps: 3 },
      warning: null,
    },
  ],
  executionProvider: 'cpu',
  executionProviderReason: 'asked for',
  pid: 1,
}

type Answer<J extends Job> = (job: J, call: CallOptions) => Promise<JobResult<J>> | JobResult<J>

export interface Script {
  locate?: Answer<LocateJob>
  render?: Answer<RenderJob>
  read?: Answer<ReadJob>
  generate?: Answer<GenerateJob>
  checkRoom?: Engine['checkRoom']
  state?: Engine['state']
  info?: EngineInfo | null
}

export interface ScriptedEngine extends Engine {
  readonly jobs: Job[]
  state: Engine['state']
  queueSize: number
  restarts: number
  modelFailures: number
  memoryKills: number
  step: string | null
  /** By process. */
  resident: Map<number, number>
  gpu: Map<number, number>
  held: Map<number, ScriptMemory>
}

/** What a box of the script is, for each question of a job. */
export function located(job: LocateJob, changes: Partial<LocatedBox> = {}): LocateResult {
  const box: LocatedBox = {
    box: [12, 5, 80, 47],
    decision: 'zoomed',
    reason: null,
    confidence: 0.83,
    raw: '[12, 5, 80, 47].',
    cost: { generatedTokens: 15, runs: 8, nonGreedyTokens: 1, batch: job.questions.length, reused: false },
    ...changes,
  }
  return {
    kind: 'locate',
    boxes: job.questions.map(() => box),
    image: { width: 1600, height: 1200 },
    model: { id: 'cropvlm-mini', resolution: job.resolution ?? 128, tiles: 1 },
    timings: { ...TIMINGS },
  }
}

/** Pictures whose bytes say what they are of. */
function rendered(job: RenderJob): RenderResult {
  const content = ({ show, packing }: PictureRequest) => {
    if (show === 'whole') return 'full'
    return show === 'overlay' ? 'overlay' : packing === 'small' ? 'crop' : 'region'
  }
  return {
    kind: 'render',
    pictures: job.pictures.map(request => ({
      mediaType: `image/${request.format}`,
      width: 20,
      height: 10,
      bytes: new TextEncoder().encode(content(request)),
    })),
    image: { width: 1600, height: 1200 },
    timings: { queue: 0, decode: 0, crop: 0 },
  }
}

/** A page of three lines. */
export function read(): ReadResult {
  return {
    kind: 'read',
    lines: [
      { box: [30, 5, 70, 9], text: 'Dakota Digital', score: 0.98 },
      { box: [10, 40, 25, 43], text: 'Width', score: 0.99 },
      { box: [60, 40, 75, 43], text: '120 mm', score: 0.97 },
    ],
    image: { width: 1600, height: 1200 },
    reused: false,
    timings: { queue: 0.3, decode: 9, preprocess: 4, detect: 20, recognize: 11 },
  }
}

function generated(job: GenerateJob): GenerateResult {
  const text = job.images.length === 2 ? ' Dakota Digital. ' : 'unanswerable'
  return {
    kind: 'generate',
    text,
    finishReason: 'stop',
    usage: { promptTokens: 512, completionTokens: 3 },
    timings: TIMINGS,
  }
}

export function scriptedEngine(script: Script = {}): ScriptedEngine {
  const jobs: Job[] = []
  const resident = new Map<number, number>()
  const gpu = new Map<number, number>()
  const held = new Map<number, ScriptMemory>()
  const answer = async (job: Job, call: CallOptions) => {
    if (job.kind === 'locate') return await (script.locate ?? located)(job, call)
    if (job.kind === 'render') return await (script.render ?? rendered)(job, call)
    if (job.kind === 'read') return await (script.read ?? read)(job, call)
    return await (script.generate ?? generated)(job, call)
  }
  return {
    jobs,
    resident,
    gpu,
    held,
    residentBytes: () => resident,
    scriptMemory: () => held,
    deviceBytes: async () => gpu,
    state: script.state ?? 'ready',
    info: script.info === undefined ? INFO : script.info,
    sandbox: { name: null, reason: 'ENGINE_SANDBOX is off.' },
    queueSize: 0,
    restarts: 0,
    modelFailures: 0,
    memoryKills: 0,
    step: null,
    checkRoom(deadline) {
      script.checkRoom?.(deadline)
    },
    async run(job, call) {
      jobs.push(job)
      return (await answer(job, call)) as never
    },
    async drain() {},
    async close() {},
  }
}

/** A job that never ends by itself, and keeps the engine's promise about deadline and abort. */
export function hang(_job: unknown, { signal, deadline }: CallOptions): Promise<never> {
  return new Promise((_, reject) => {
    const late = () => reject(new CropVlmError('deadline_exceeded', 'The deadline of the request passed.'))
    const timer = setTimeout(late, deadline - Date.now())
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(new CropVlmError('request_aborted', 'The caller went away.'))
    })
  })
}

/** The jobs of one kind that an engine was given. */
export function jobsOf<K extends Job['kind']>({ jobs }: ScriptedEngine, kind: K): Extract<Job, { kind: K }>[] {
  return jobs.filter((job): job is Extract<Job, { kind: K }> => job.kind === kind)
}
