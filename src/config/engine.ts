/** How the models are run: where, in how many processes, and what each may take. */
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { PRECISION_ALIASES, PRECISIONS } from '../vlm/folder/graph-names.js'
import { PROVIDER_CHOICES } from '../vlm/onnx/providers.js'
import { Choice, HOUR_MS, OrNull } from './schema.js'

/** Where this user's caches are; in the temporary folder for a user without a home. */
function userCache(name: string): string {
  try {
    return join(homedir(), '.cache', name)
  } catch {
    return join(tmpdir(), `${name}-${process.getuid?.() ?? 'cache'}`)
  }
}

/** Whether the engine's processes run in a sandbox. */
export const SANDBOX_MODES = ['auto', 'on', 'off'] as const
export type SandboxMode = (typeof SANDBOX_MODES)[number]

export const ENGINE_VARIABLES = {
  modelPrecision: OrNull(
    Choice(PRECISIONS, {
      env: 'MODEL_PRECISION',
      aliases: PRECISION_ALIASES,
      description:
        "Which of the cropper's ONNX files to load, by the hub's names; q8 is quantized. auto is fp16 on CUDA, int8 on a CPU where the folder says that it agrees with fp32, else the folder's own.",
    }),
    'auto',
  ),
  executionProvider: Choice(PROVIDER_CHOICES, {
    env: 'EXECUTION_PROVIDER',
    default: 'auto',
    description:
      'Where models run. auto takes CUDA where it can be had and says which and why at start; cuda without CUDA is an error.',
  }),
  threads: OrNull(
    Type.Integer({
      env: 'THREADS',
      minimum: 1,
      maximum: 1024,
      unit: 'threads',
      description:
        'Threads of one model run; auto shares the physical cores that the service may use among ENGINE_PROCESSES.',
    }),
    'auto',
  ),
  engineProcesses: Type.Integer({
    env: 'ENGINE_PROCESSES',
    default: 1,
    minimum: 1,
    maximum: 256,
    description:
      'Processes that run the models, each one batch at a time; on a CPU they share one copy of the weights.',
  }),
  batchSize: OrNull(
    Type.Integer({
      env: 'BATCH_SIZE',
      minimum: 1,
      maximum: 256,
      unit: 'jobs',
      description: 'Waiting jobs that an idle process takes at once, as one batch; auto is 1 on a CPU and 8 on CUDA.',
    }),
    'auto',
  ),
  batchDelayMs: Type.Integer({
    env: 'BATCH_DELAY_MS',
    default: 0,
    minimum: 0,
    maximum: 1000,
    unit: 'ms',
    description: 'How long a job waits for others where fewer than BATCH_SIZE are there; 0 waits for none.',
  }),
  graphCacheDir: OrNull(
    Type.String({
      env: 'GRAPH_CACHE_DIR',
      path: true,
      default: userCache('cropvlm'),
      defaultText: '~/.cache/cropvlm',
      description:
        'Folder that keeps graphs optimised for this CPU, so that they load faster and processes share them; off keeps none.',
    }),
    'off',
  ),
  prefixCacheBytes: Type.Integer({
    env: 'PREFIX_CACHE_BYTES',
    default: 256 * 1024 * 1024,
    minimum: 0,
    maximum: 1024 ** 4,
    unit: 'bytes',
    description:
      'Most memory each model of an engine process takes to remember images, so that another question about one costs no vision; 0 remembers none.',
  }),
  modelMemoryLimit: OrNull(
    Type.Integer({
      env: 'MODEL_MEMORY_LIMIT',
      minimum: 64 * 1024 * 1024,
      maximum: 1024 ** 4,
      unit: 'bytes',
      description:
        'Most memory that an engine process may hold, and one that optimises a graph, before it is ended; pages of files and the memory of a GPU do not count. auto is three quarters of what the machine or the container has.',
    }),
    'auto',
  ),
  constrainedDecoding: Type.Boolean({
    env: 'CONSTRAINED_DECODING',
    default: true,
    description:
      'on masks the logits so that every answer is a valid box; off decodes freely, and an invalid answer is a fallback.',
  }),
  queueSize: Type.Integer({
    env: 'QUEUE_SIZE',
    default: 64,
    minimum: 1,
    maximum: 100_000,
    unit: 'jobs',
    description: 'Jobs that may wait for the engine; one more is refused with 429.',
  }),
  engineSandbox: Choice(SANDBOX_MODES, {
    env: 'ENGINE_SANDBOX',
    default: 'off',
    description:
      'Whether the processes that decode images and run models are confined by bubblewrap: no network, no file written but in GRAPH_CACHE_DIR. on does not start without; auto does so where it can be done, but not with a graphics card, and says at start what holds.',
  }),
  engineHeartbeatMs: Type.Integer({
    env: 'ENGINE_HEARTBEAT_MS',
    default: 5000,
    minimum: 500,
    maximum: HOUR_MS,
    unit: 'ms',
    description:
      'How long an engine process may give no sign of life before it counts as hung and is replaced; at least five times what the longest run of its warm-up took.',
  }),
}
